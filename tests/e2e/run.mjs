// Runs the browser tests: every *.test.mjs here exports `name` and a map `tests` of functions, each
// of which gets a stage (server, browser, helpers) of its own file. Prints TAP and, last, a count.
// What this machine lacks is skipped by name; a skip is never silent.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { launchBrowser, whyNot } from './browser.mjs';
import { Server, binary } from './server.mjs';
import { Stage } from './stage.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(here)
  .filter((name) => name.endsWith('.test.mjs'))
  .filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
  .sort();
const counts = { passed: 0, failed: 0, skipped: 0 };
const TEST_LIMIT_MS = 90_000;
const HANDS = 2; // files at a time, each with a server and a browser of its own: most of it is waiting
let number = 0;

function report(good, name, note = '') {
  console.log(`${good ? 'ok' : 'not ok'} ${++number} - ${name}${note}`);
}

function skipAll(why) {
  for (const file of files) {
    report(true, file, ` # SKIP ${why}`);
    console.log(`skip ${file}: ${why}`);
    counts.skipped++;
  }
}

async function limited(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`took longer than ${TEST_LIMIT_MS} ms`)),
      TEST_LIMIT_MS,
    );
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function runFile(file, browser) {
  const { tests } = await import(pathToFileURL(join(here, file)).href);
  const server = new Server();
  try {
    await server.start();
    for (const [name, test] of Object.entries(tests)) {
      const stage = new Stage(server, browser);
      const title = `${file.replace('.test.mjs', '')}: ${name}`;
      try {
        await limited(test(stage));
        stage.checkNoErrors();
        report(true, title);
        counts.passed++;
      } catch (problem) {
        report(false, title);
        counts.failed++;
        console.log(
          String(problem.stack ?? problem)
            .split('\n')
            .map((line) => `# ${line}`)
            .join('\n'),
        );
        await keepPictures(stage, title);
      } finally {
        await stage.close();
      }
    }
  } catch (problem) {
    report(false, `${file}: the server starts`);
    counts.failed++;
    console.log(`# ${problem.stack ?? problem}`);
  } finally {
    await server.remove();
  }
}

/** What the pages looked like when it went wrong. */
async function keepPictures(stage, title) {
  const folder = process.env.PARLEY_E2E_PICTURES;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  const name = title.replace(/[^a-z0-9]+/gi, '_');
  for (const [index, page] of stage.pages.entries())
    await page.screenshot({ path: join(folder, `${name}_${index}.png`) }).catch(() => undefined);
}

const why = existsSync(binary) ? await whyNot() : `${binary} is not built`;
if (why) {
  skipAll(why);
} else {
  const waiting = [...files];
  const hand = async () => {
    const browser = await launchBrowser();
    while (waiting.length > 0) await runFile(waiting.shift(), browser);
    await browser.close();
  };
  await Promise.all(Array.from({ length: Math.min(HANDS, files.length) }, hand));
}
console.log(`1..${number}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed > 0 ? 1 : 0);
