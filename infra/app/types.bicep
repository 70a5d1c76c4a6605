// Types that more than one file uses.

@export()
@description('Tags of every resource. azd finds its environment by them.')
type resourceTags = {
  'azd-env-name': string
}

@export()
@description('Every setting of docs/settings.md that has no parameter of its own. Azure refuses another name, and a value that is no string.')
@sealed()
@secure()
type furtherSettings = {
  ALLOWED_PRINCIPALS: string?
  CALLBACK_CALLER_IDS: string?
  CALLBACK_ISSUERS: string?
  CALLBACK_OPENID_CONFIGURATION: string?
  CALLBACK_TENANT_IDS: string?
  CALL_RETENTION_DAYS: string?
  CONNECTOR_GATEWAY_HOSTS: string?
  FLOW_CALLBACK_HOSTS: string?
  FLOW_CALLBACK_SECRET: string?
  GRAPH_AUTHORITY: string?
  GRAPH_ENDPOINT: string?
  HTTPS_PROXY: string?
  INCOMING_CALLS: string?
  INVITATION_CHECK_AFTER_SECONDS: string?
  INVITATION_GIVE_UP_AFTER_SECONDS: string?
  KEEP_ALIVE_SECONDS: string?
  NO_PROXY: string?
  PHONE_PREFIXES: string?
  PUBLIC_BASE_URL: string?
  RESULT_TOKEN_HOURS: string?
  START_GIVE_UP_AFTER_SECONDS: string?
  STATE_TABLE: string?
}
