// What the compilers of Vue and Svelte take for the scripts of a component: writes it into the cases of a file.
//
//     npm install --prefix /tmp/components @vue/compiler-sfc@3 svelte@5
//     NODE_MODULES=/tmp/components/node_modules node scripts/oracle/components.mjs fixtures/components.json
//
// Each case has a `kind` and a `text`; what is recorded are the `scripts`: where the text between their tags begins, in
// bytes, and that text. null: the compiler refuses the component.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(path.resolve(process.env.NODE_MODULES ?? 'node_modules'), 'x.js'));
const vue = require('@vue/compiler-sfc');
const svelte = require('svelte/compiler');
const version = (name) => require(`${name}/package.json`).version;

const file = process.argv[2];
const recorded = JSON.parse(fs.readFileSync(file, 'utf8'));

function scripts({ kind, text }) {
  if (kind === 'vue') {
    const { descriptor } = vue.parse(text, { sourceMap: false });
    const blocks = [descriptor.script, descriptor.scriptSetup].filter(Boolean);
    return blocks.map(({ loc }) => [loc.start.offset, loc.end.offset]);
  }
  try {
    const { module, instance } = svelte.parse(text, { modern: true });
    return [module, instance].filter(Boolean).map(({ content }) => [content.start, content.end]);
  } catch {
    return null;
  }
}

recorded.versions = { vue: version('@vue/compiler-sfc'), svelte: version('svelte') };
for (const one of recorded.cases) {
  const found = scripts(one)?.sort((a, b) => a[0] - b[0]);
  one.scripts = found?.map(([start, end]) => [Buffer.byteLength(one.text.slice(0, start)), one.text.slice(start, end)]) ?? null;
}
const lines = recorded.cases.map((one) => `    ${JSON.stringify(one)}`).join(',\n');
fs.writeFileSync(file, `{\n  "versions": ${JSON.stringify(recorded.versions)},\n  "cases": [\n${lines}\n  ]\n}\n`);
