// The browser: Debian's Chromium, driven by the playwright-core that web/ has locked.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

function playwright() {
  return createRequire(join(root, 'web/package.json'))('playwright-core');
}

/** Why there can be no browser tests here, or null. */
export async function whyNot() {
  if (Number(process.versions.node.split('.')[0]) < 20)
    return `playwright-core needs Node 20, this is ${process.versions.node}`;
  if (!existsSync(executablePath)) return `${executablePath} is not there`;
  try {
    playwright();
    return null;
  } catch {
    return 'playwright-core is not there: run "npm ci --ignore-scripts" in web/';
  }
}

export function launchBrowser() {
  return playwright().chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
