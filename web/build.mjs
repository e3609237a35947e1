// Builds the web client and the API reference into one folder of files that a server can hand out
// as they are: hashed names for everything that may be cached for ever, and beside each text file
// its .gz and .br, so that no request ever pays for compression.
//
//   node build.mjs --out DIR [--depfile FILE --target NAME] [--embed DIR] [--watch]
//
// --embed also writes DIR/assets.c, assets.S and assets.bin (see embed.mjs). --depfile names every
// source that went in, for the build system. Only what Node 18 has is used here.
import { mkdirSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { embed } from './embed.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const compressible = new Set(['.js', '.css', '.html', '.svg', '.json', '.webmanifest']);

/** Pages: the name on disk, and the path under which the server answers with it. */
const pages = [
  { file: 'index.html', path: '/' },
  { file: 'docs.html', path: '/docs' },
];

function options(list) {
  const found = { out: join(root, 'dist'), watch: false };
  for (let i = 0; i < list.length; i++) {
    if (list[i] === '--watch') found.watch = true;
    else if (['--out', '--depfile', '--target', '--embed'].includes(list[i]))
      found[list[i].slice(2)] = list[++i];
    else throw new Error(`unknown argument ${list[i]}`);
  }
  return found;
}

async function load_esbuild() {
  try {
    return await import('esbuild');
  } catch {
    console.error(
      'web: node_modules is missing; run "npm ci --ignore-scripts" in web/ once,\n' +
        'or configure with -Dweb=false to embed no web client.',
    );
    process.exit(1);
  }
}

const common = {
  bundle: true,
  format: 'esm',
  target: ['es2022', 'chrome115', 'firefox125', 'safari17'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  write: false,
  absWorkingDir: root,
  logLevel: 'warning',
  // A style that no browser reads is a mistake, not a matter of taste.
  logOverride: { 'css-syntax-error': 'error' },
};

/** Each page has a bundle of its own; within the app's, what is loaded later stands in pieces. */
const entries = { app: 'app/main.tsx', docs: 'docs/main.tsx', theme: 'app/theme_early.ts' };

async function bundle_page(esbuild, minify, name) {
  const result = await esbuild.build({
    ...common,
    minify,
    define: { 'process.env.NODE_ENV': minify ? '"production"' : '"development"' },
    entryPoints: { [name]: entries[name] },
    splitting: true,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    outdir: 'out/assets',
  });
  const outputs = result.metafile.outputs;
  const entry = Object.keys(outputs).find((path) => outputs[path].entryPoint === entries[name]);
  const path = (output) => `/${relative('out', output)}`;
  const { cssBundle } = outputs[entry];
  const names = new Map([
    [`${name}.js`, path(entry)],
    [
      `${name}.early`,
      early(outputs, entry)
        .map((output) => preload(path(output)))
        .join(''),
    ],
  ]);
  if (cssBundle) names.set(`${name}.css`, path(cssBundle));
  return { names, files: result.outputFiles, inputs: Object.keys(result.metafile.inputs) };
}

/** What an entry needs at once, and the ones it names: asked for together, not one after another. */
function early(outputs, entry) {
  const found = new Set();
  const visit = (output) => {
    for (const { path, kind } of outputs[output].imports)
      if (kind === 'import-statement' && !found.has(path)) {
        found.add(path);
        visit(path);
      }
  };
  visit(entry);
  return [...found];
}

const preload = (path) => `<link rel="modulepreload" href="${path}">\n`;

/** The files under their paths, what pages call them by, and every source that went in. */
async function bundle(esbuild, minify) {
  const pieces = [];
  for (const name of Object.keys(entries)) pieces.push(await bundle_page(esbuild, minify, name));
  const sdk = await esbuild.build({
    ...common,
    minify: false,
    entryPoints: { 'sdk/parley': 'sdk/index.ts' },
    outdir: 'out',
  });
  const files = new Map();
  for (const file of [...pieces.flatMap((piece) => piece.files), ...sdk.outputFiles])
    files.set(relative(join(root, 'out'), file.path), Buffer.from(file.contents));
  const inputs = new Set([
    ...pieces.flatMap((piece) => piece.inputs),
    ...Object.keys(sdk.metafile.inputs),
  ]);
  return {
    files,
    names: new Map(pieces.flatMap((piece) => [...piece.names])),
    inputs: [...inputs].map((name) => resolve(root, name)),
  };
}

/** Puts the hashed names into the pages. The SDK keeps its plain name: other sites import it. */
function finish({ files, names }) {
  const assets = [];
  const statics = ['favicon.svg', 'icon.svg', 'manifest.webmanifest'];
  for (const [name, bytes] of files)
    assets.push({ file: name, path: `/${name}`, bytes, immutable: name.startsWith('assets/') });
  for (const name of statics) {
    const bytes = readFileSync(join(root, 'static', name));
    assets.push({ file: name, path: `/${name}`, bytes, immutable: false });
  }
  for (const page of pages) {
    const text = readFileSync(join(root, 'static', page.file), 'utf8').replace(
      /\{\{([a-z.]+)\}\}/g,
      (_, name) => {
        if (!names.has(name)) throw new Error(`${page.file} names ${name}, which was not built`);
        return names.get(name);
      },
    );
    assets.push({ file: page.file, path: page.path, bytes: Buffer.from(text), immutable: false });
  }
  return assets;
}

/** Adds the compressed forms, where they are worth having. */
function compress(asset) {
  const ending = /\.[a-z]+$/.exec(asset.file)?.[0] ?? '';
  if (!compressible.has(ending)) return asset;
  const gzip = gzipSync(asset.bytes, { level: 9 });
  const brotli = brotliCompressSync(asset.bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: asset.bytes.length,
    },
  });
  const worth = (bytes) => (bytes.length < asset.bytes.length ? bytes : undefined);
  return { ...asset, gzip: worth(gzip), brotli: worth(brotli) };
}

function write(out, assets) {
  rmSync(join(out, 'assets'), { recursive: true, force: true });
  for (const asset of assets) {
    const target = join(out, asset.file);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, asset.bytes);
    if (asset.gzip) writeFileSync(`${target}.gz`, asset.gzip);
    if (asset.brotli) writeFileSync(`${target}.br`, asset.brotli);
  }
}

function write_depfile(file, target, inputs) {
  const own = [
    'build.mjs',
    'embed.mjs',
    'package-lock.json',
    'static/index.html',
    'static/docs.html',
    'static/favicon.svg',
    'static/icon.svg',
    'static/manifest.webmanifest',
  ];
  const all = [...new Set([...inputs, ...own.map((name) => join(root, name))])]
    .filter((name) => existsSync(name))
    .map((name) => name.replace(/ /g, '\\ '));
  writeFileSync(file, `${target}: ${all.join(' ')}\n`);
}

async function build(esbuild, given) {
  const bundled = await bundle(esbuild, !given.watch);
  const assets = finish(bundled);
  const ready = given.watch ? assets : assets.map(compress);
  write(resolve(given.out), ready);
  if (given.embed) embed(resolve(given.embed), ready);
  if (given.depfile) write_depfile(given.depfile, given.target ?? 'assets.c', bundled.inputs);
  return ready;
}

const given = options(process.argv.slice(2));
const esbuild = await load_esbuild();
const assets = await build(esbuild, given);
if (!given.depfile)
  for (const asset of assets)
    console.log(
      `${asset.path.padEnd(36)} ${String(asset.bytes.length).padStart(8)} bytes` +
        (asset.brotli ? `, ${asset.brotli.length} as brotli` : ''),
    );
if (given.watch) {
  const context = await esbuild.context({
    ...common,
    entryPoints: ['app/main.tsx', 'docs/main.tsx', 'app/theme_early.ts', 'sdk/index.ts'],
    outdir: 'out',
    plugins: [{ name: 'again', setup: (hooks) => hooks.onEnd(() => build(esbuild, given)) }],
  });
  await context.watch();
}
