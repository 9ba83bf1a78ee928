// The JavaScript of docs/bi.md; arguments: host:port and the password of the user bi.
import { createClient } from '@clickhouse/client'
const client = createClient({ url: 'http://' + process.argv[2], database: 'groundwork', username: 'bi', password: process.argv[3] })
const result = await client.query({ query: 'SELECT region_name, count() AS issues FROM pub_issue GROUP BY region_name', format: 'JSONEachRow' })
let n = 0
for await (const rows of result.stream()) n += rows.map((row) => row.json()).filter((row) => Number(row.issues) > 0).length
await client.close()
console.log('regions', n)
