// Carries out problem matchers on lines of output, with Node's own regular expressions.
//
//     node problem_matchers.mjs github|vscode MATCHERS.json < output
//
// Writes the problems as JSON. After GitHub's runner (src/Runner.Worker/IssueMatcher.cs and Handlers/OutputManager.cs in
// actions/runner) and after VS Code (src/vs/workbench/contrib/tasks/common/problemMatcher.ts in microsoft/vscode).

import { readFileSync } from 'node:fs';

const FIELDS = ['file', 'line', 'column', 'severity', 'code', 'message'];
const [consumer, path] = process.argv.slice(2);
const document = JSON.parse(readFileSync(path, 'utf8'));
const lines = readFileSync(0, 'utf8').split('\n').map((line) => line.replace(/\x1b\[[0-9;]*m?/g, ''));

const listed = (pattern) => (Array.isArray(pattern) ? pattern : [pattern]);
const matchers = (
  consumer === 'github' ? document.problemMatcher : document.tasks.map((task) => task.problemMatcher)
).map((matcher) => ({ ...matcher, patterns: listed(matcher.pattern).map((one) => ({ ...one, regexp: new RegExp(one.regexp) })) }));

function checked(matcher) {
  if (!matcher.owner) throw new Error('a matcher needs an owner');
  for (const pattern of matcher.patterns) {
    const groups = new RegExp(`${pattern.regexp.source}|`).exec('').length;
    for (const field of FIELDS) {
      if (pattern[field] !== undefined && !(pattern[field] > 0 && pattern[field] < groups)) {
        throw new Error(`${matcher.owner}: ${field} names group ${pattern[field]}, which is not there`);
      }
    }
  }
  if (!matcher.patterns.some((pattern) => pattern.message)) throw new Error(`${matcher.owner}: no message`);
}

function taken(pattern, match) {
  return Object.fromEntries(FIELDS.filter((field) => pattern[field]).map((field) => [field, match[pattern[field]]]));
}

// GitHub knows only these severities, and drops a problem of any other.
function github(problem, matcher) {
  const severity = (problem.severity || matcher.severity || 'error').toLowerCase();
  return ['error', 'warning', 'notice'].includes(severity) ? { ...problem, severity, owner: matcher.owner } : null;
}

// VS Code takes `note` for an information.
function vscode(problem, matcher) {
  const known = { error: 'error', warning: 'warning', info: 'info', note: 'info' };
  return { ...problem, severity: known[problem.severity] ?? matcher.severity ?? 'error', owner: matcher.owner };
}

function run(matcher) {
  const problems = [];
  let found = {};
  let next = 0;
  for (const line of lines) {
    for (const retry of [false, true]) {
      const match = matcher.patterns[next].regexp.exec(line);
      if (match) {
        found = { ...found, ...taken(matcher.patterns[next], match) };
        next += 1;
        break;
      }
      // A line that does not go on with one problem may begin another.
      const again = next > 0 && !retry;
      found = {};
      next = 0;
      if (!again) break;
    }
    if (next === matcher.patterns.length) {
      const problem = (consumer === 'github' ? github : vscode)(found, matcher);
      if (problem) problems.push(problem);
      found = {};
      next = 0;
    }
  }
  return problems;
}

if (new Set(matchers.map((matcher) => matcher.owner)).size !== matchers.length && consumer === 'github') {
  throw new Error('two matchers have one owner');
}
matchers.forEach(checked);
console.log(JSON.stringify(Object.fromEntries(matchers.map((matcher, at) => [consumer === 'github' ? matcher.owner : at, run(matcher)]))));
