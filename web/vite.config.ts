/** How the browser application is built: hashed files under `/assets`, each with a `.br` and a `.gz` beside it. */
import { promises as files } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const here = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const brotli = promisify(brotliCompress);
const gz = promisify(gzip);

/** Compress once at build time, so that no server ever has to. */
function precompressed(): Plugin {
  let out = '';
  return {
    name: 'sightline-precompressed',
    apply: 'build',
    configResolved(config) {
      out = path.resolve(config.root, config.build.outDir);
    },
    async closeBundle() {
      const names = await files.readdir(out, { recursive: true });
      for (const name of names.filter((n) => /\.(js|css|html|svg|wasm|json)$/.test(n))) {
        const file = path.join(out, name);
        const raw = await files.readFile(file);
        if (raw.length < 1024) continue;
        const quality = { [constants.BROTLI_PARAM_QUALITY]: 11 };
        await files.writeFile(`${file}.br`, await brotli(raw, { params: quality }));
        await files.writeFile(`${file}.gz`, await gz(raw, { level: 9 }));
      }
    },
  };
}

const VIEWER = 'src/viewer/index.ts';

/** Name the files of the viewer in the page, so that they can be fetched before they are run. */
function viewerNamed(): Plugin {
  return {
    name: 'sightline-viewer-named',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_, { bundle = {}, chunk: entry }) {
        const needed = (file: string): string[] => {
          const chunk = bundle[file];
          return chunk?.type === 'chunk' ? [file, ...chunk.imports.flatMap(needed)] : [];
        };
        const viewer = Object.values(bundle).find(
          (c) => c.type === 'chunk' && c.facadeModuleId?.endsWith(VIEWER),
        );
        if (!viewer) throw new Error(`No chunk is made of ${VIEWER}.`);
        const before = new Set(entry ? needed(entry.fileName) : []);
        const files = [...new Set(needed(viewer.fileName))].filter((f) => !before.has(f));
        const content = files.map((f) => `/${f}`).join(' ');
        return [{ tag: 'meta', attrs: { name: 'viewer-files', content }, injectTo: 'head' }];
      },
    },
  };
}

export default defineConfig({
  base: '/',
  plugins: [viewerNamed(), precompressed()],
  resolve: {
    alias: [
      // vtk.js reaches xmlbuilder2 only for VTP meshes, which we never read; the package crashes at load in a browser.
      { find: 'xmlbuilder2', replacement: here('./src/shims/xmlbuilder2.ts') },
      // Cornerstone draws by WebGL or on the CPU; the WebGPU half of vtk.js is never asked for.
      { find: /^.*\/WebGPU\/Profiles\/\w+\.js$/, replacement: here('./src/shims/nothing.ts') },
    ],
  },
  worker: { format: 'es' },
  optimizeDeps: {
    exclude: ['@cornerstonejs/dicom-image-loader'],
    include: [
      'dicom-parser',
      '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs',
      '@cornerstonejs/codec-charls/decodewasmjs',
      '@cornerstonejs/codec-openjpeg/decodewasmjs',
      '@cornerstonejs/codec-openjph/wasmjs',
      '@cornerstonejs/codec-libjxl/decodewasmjs',
    ],
  },
  build: {
    target: 'es2022',
    outDir: here('../src/sightline/app/static'),
    emptyOutDir: true,
    assetsInlineLimit: 0, // never as data: addresses, which the content security policy refuses
    chunkSizeWarningLimit: 4000,
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8600', '/dicom-web': 'http://127.0.0.1:8600' } },
});
