// The editor's workers, each a bundle of its own beside main.js. It must be imported before the editor.
const workers = {
  json: './json.worker.js',
  graphql: './graphql.worker.js',
};

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    const url = new URL(workers[label] ?? './editor.worker.js', import.meta.url);
    return new Worker(url, { type: 'module' });
  },
};
