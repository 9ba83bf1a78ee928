// GraphiQL on this server's own endpoint, bundled so that it needs no network but that.
import './workers.js';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import 'graphiql/style.css';

const root = document.getElementById('graphiql');
const fetcher = createGraphiQLFetcher({ url: root.dataset.endpoint });
const welcome = `# Groundwork: the documentation of every field is behind the book icon on the left.
# Ctrl-Enter runs the query, Ctrl-Space completes.

{
  __typename
}
`;

createRoot(root).render(createElement(GraphiQL, { fetcher, defaultQuery: welcome }));
