// Bundles GraphiQL and the workers of its editor into dist/, from which the Go program embeds them.
// Run it from the root of the repository with `npm run graphiql`.
import { build } from 'esbuild';
import { copyFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, 'dist');
const monaco = 'monaco-editor/esm/vs';

await rm(dist, { recursive: true, force: true });
await build({
  absWorkingDir: here,
  entryPoints: {
    main: 'src/main.js',
    page: 'src/page.css',
    'editor.worker': `${monaco}/editor/editor.worker.js`,
    'json.worker': `${monaco}/language/json/json.worker.js`,
    'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
  },
  outdir: join(dist, 'assets'),
  bundle: true,
  minify: true,
  format: 'esm',
  splitting: true, // the main bundle loads some parts of the editor only when they are used
  chunkNames: 'chunk-[hash]',
  target: 'es2022',
  loader: { '.ttf': 'dataurl' },
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'linked',
  logLevel: 'warning',
});
// The page comes last: where it is, the bundle is whole.
await copyFile(join(here, 'src/index.html'), join(dist, 'index.html'));
