// Builds the SDK once into a temporary folder and runs node's own test runner over the tests here.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'parley-sdk-'));
try {
  await build({
    entryPoints: { parley: join(here, '../index.ts'), sse_parser: join(here, '../sse_parser.ts') },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    target: 'node18',
    logLevel: 'warning',
  });
  const files = readdirSync(here).filter((name) => name.endsWith('.test.mjs'));
  const result = spawnSync(process.execPath, ['--test', ...files.map((name) => join(here, name))], {
    stdio: 'inherit',
    env: { ...process.env, PARLEY_SDK: folder },
  });
  process.exitCode = result.status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
