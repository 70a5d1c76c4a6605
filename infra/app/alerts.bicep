// Three alerts over the log; docs/operate.md explains them.
import { resourceTags } from 'types.bicep'

@description('Hash that ends every name.')
param token string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Resource id of the Application Insights component.')
param insightsId string

@description('E-mail address for alerts. Empty: they show in the portal only.')
param email string

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'CallInvites'
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

var actions = { actionGroups: empty(email) ? [] : [operators.id] }

// Few outcomes a day are enough, so it looks far back; an invitation is overdue for two minutes at least before it counts.
resource reports 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'alert-reports-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Call Invites: Reports of Graph are missing'
    description: 'First look for refused callbacks with the reason caller: Microsoft may have changed who signs them. The watchdog had to find more than a quarter of the outcomes. See docs/operate.md.'
    severity: 2
    enabled: true
    scopes: [insightsId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT6H'
    autoMitigate: true
    // A component that is seconds old has no tables yet.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: '''
traces
| where message startswith "concluded "
| parse message with * " decided-by=" decided_by " code=" code " " *
| where decided_by != "refusal" and code !in ("429", "503")
| summarize timestamp = max(timestamp), invitations = count(), by_watchdog = countif(decided_by == "watchdog")
| where by_watchdog >= 2 and by_watchdog * 4 > invitations
'''
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: actions
  }
}

resource work 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'alert-work-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Call Invites: The app cannot do its work'
    description: 'Settings, token, storage, permission, or a fault of the app. See docs/operate.md.'
    severity: 1
    enabled: true
    scopes: [insightsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    // A component that is seconds old has no tables yet.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: '''
union traces, exceptions
| extend line = coalesce(message, outerMessage)
| parse line with "concluded " * " decided-by=" decided_by " code=" code " " *
| extend fault = case(
    line startswith "setting: " and severityLevel >= 3, "settings",
    line startswith "unforeseen", "app",
    line startswith "graph's answer could not be written", "app",
    line startswith "an item of a callback could not be read", "app",
    line startswith "callback body refused ", "callback",
    line startswith "a queue message can't be read", "app",
    line startswith "something that is due could not be done", "app",
    line startswith "no token: ", "token",
    line startswith "table storage failed ", "storage",
    line startswith "queue storage failed ", "storage",
    line startswith "the keys of callbacks can't be read", "keys",
    decided_by == "refusal" and code in ("401", "403"), "permission",
    line startswith "graph create " and line has_any ("status=401", "status=403"), "permission",
    "")
| where isnotempty(fault)
| summarize timestamp = max(timestamp), lines = count() by fault
| where fault in ("settings", "app", "callback") or lines >= 3
'''
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: actions
  }
}

resource misuse 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'alert-misuse-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Call Invites: The app may be misused'
    description: 'Many phone calls, refused callbacks, keys or sign-ins. See docs/operate.md.'
    severity: 2
    enabled: true
    scopes: [insightsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    // A component that is seconds old has no tables yet.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: '''
let phones = traces
| where message startswith "inviting "
| parse message with * " phones=" phones:int " " *
| summarize timestamp = max(timestamp), number = sum(phones)
| extend what = "phones", most = 50;
let callbacks = traces
| where message startswith "callback refused "
| parse message with * " reason=" reason
| where reason !in ("no token", "not a token", "too long", "algorithm", "key id")
| summarize timestamp = max(timestamp), number = count()
| extend what = "callbacks", most = 10;
let callers = traces
| where message startswith "a caller was refused "
| summarize timestamp = max(timestamp), number = count()
| extend what = "callers", most = 10;
let keys = requests
| where resultCode == "401" and url !has "/api/notifications"
| summarize timestamp = max(timestamp), number = count()
| extend what = "keys", most = 20;
union phones, callbacks, callers, keys
| where number > most
'''
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: actions
  }
}
