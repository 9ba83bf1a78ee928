// Runs the server audits of the npm package graphql-http against the URL given as the first argument, and prints their results
// as one JSON array of {id, name, status, reason}.
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2] });
const rows = results.map(({ id, name, status, reason }) => ({ id, name, status, reason }));
console.log(JSON.stringify(rows));
