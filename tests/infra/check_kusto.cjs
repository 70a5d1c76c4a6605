// Reads {"tables": {name: "(column: type, ...)"}, "queries": {name: query}} and writes what Kusto's own parser finds
// wrong with each query, by name.
'use strict';
require('../../dev/node_modules/@kusto/language-service-next/bridge.min.js');
require('../../dev/node_modules/@kusto/language-service-next/Kusto.Language.Bridge.min.js');

const { GlobalState, KustoCode, Symbols } = globalThis.Kusto.Language;
const { tables, queries } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const symbols = Object.entries(tables).map(([name, columns]) => Symbols.TableSymbol.From(columns).WithName(name));
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('insights', symbols));

const faults = (query) =>
  globalThis.Bridge.toArray(KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics()).map(
    (found) => `${found.Severity} ${found.Code} at ${found.Start}: ${found.Message}`,
  );
console.log(JSON.stringify(Object.fromEntries(Object.entries(queries).map(([name, query]) => [name, faults(query)]))));
