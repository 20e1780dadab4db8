// grade.mjs SUITE RESULTS — grades a run of the suite as the suite's own determineTestResult does, dependencies honoured.
// Lists what does not pass with the reason; the last line is: required N/M, optimal N/M
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [suite, file] = process.argv.slice(2)
const load = async name => (await import(pathToFileURL(path.resolve(suite, 'tests', name)))).default
const suites = await load('index.mjs')
if (fs.existsSync(path.join(suite, 'tests', 'surrogate-control.mjs'))) {
  const surrogate = await load('surrogate-control.mjs')
  if (!suites.includes(surrogate)) suites.push(surrogate)
}

const results = JSON.parse(fs.readFileSync(file))
const tests = new Map(suites.flatMap(s => s.tests).map(test => [test.id, test]))

// Why the edge does not pass these, where that is a choice and no mistake.
const reasons = [
  [/^heuristic-.*-cached$/, 'nothing is stored without explicit freshness: no guess is safe for all apps'],
  [/set-cookie/i, 'an answer that sets a cookie is stored only where it says public'],
  [/^partial-store-partial/, 'parts (206) are not stored'],
  [/^method-POST$/, 'answers to POST are not stored'],
  [/^headers-store-Transfer-Encoding$/, 'a transfer coding that is not known is refused with 502'],
  [/^vary-normalise-lang-select$/, 'which language an app would choose is for the app to say'],
  [/^conditional-lm-fresh-no-lm$/, 'the date asked about is older than the answer: 200 is right (RFC 9110 section 13.1.3)'],
  [/^age-parse-/, 'RFC 9111 section 5.1: the first value counts, an invalid one is ignored; this edition of the suite asks for the reading of RFC 7234'],
  [/^stale-close-/, 'the edge answers 502 in place of the app; this edition of the suite expects the app\'s own header in it'],
]

function resultOf (id) {
  const test = tests.get(id)
  const result = results[id]
  if (result === undefined) return 'untested'
  for (const needed of test.depends_on ?? []) {
    if (!['pass', 'yes'].includes(resultOf(needed))) return 'dependency'
  }
  if (result[0] === 'Setup') return 'setup'
  if ((test.kind ?? 'required') === 'check') return result === true ? 'yes' : 'no'
  return result === true ? 'pass' : 'fail'
}

const count = { required: [0, 0], optimal: [0, 0] }
for (const test of tests.values()) {
  const kind = test.kind ?? 'required'
  if (test.browser_only || kind === 'check') continue
  const result = resultOf(test.id)
  count[kind][1]++
  if (result === 'pass') {
    count[kind][0]++
    continue
  }
  const reason = reasons.find(([pattern]) => pattern.test(test.id))?.[1]
  console.log(`${kind} ${test.id}: ${result}; ${reason ?? JSON.stringify(results[test.id])}`)
}
console.log(`required ${count.required.join('/')}, optimal ${count.optimal.join('/')}`)
