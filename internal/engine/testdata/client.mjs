// Runs the official JavaScript client against the engine at argv[2], database argv[3]. Prints "ok" at the end.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { createClient, ClickHouseError, ClickHouseLogLevel } from '@clickhouse/client'

const [url, database] = process.argv.slice(2)
const log = { level: ClickHouseLogLevel.OFF }

async function run(compression) {
  const client = createClient({ url, log, database, username: 'groundwork', compression: { request: compression, response: compression } })
  const table = `js_${compression}`
  const all = async (query, extra = {}) => (await client.query({ query, format: 'JSONEachRow', ...extra })).json()

  assert.equal((await client.ping()).success, true)
  assert.equal((await client.ping({ select: true })).success, true)
  assert.deepEqual(await all('SELECT 1 AS one'), [{ one: 1 }])
  assert.deepEqual((await (await client.query({ query: 'SELECT 1 AS one', format: 'JSON' })).json()).data, [{ one: 1 }])
  assert.equal(await (await client.query({ query: 'SELECT 1 AS one', format: 'CSVWithNames' })).text(), '"one"\n1\n')

  await client.command({ query: `CREATE TABLE ${table} (id UInt32, text String) ENGINE = MergeTree ORDER BY id` })
  const awkward = "a\n\nDROP TABLE x\t'\\ é 中文"
  const inserted = await client.insert({ table, values: [{ id: 1, text: awkward }], format: 'JSONEachRow' })
  assert.equal(inserted.summary?.written_rows, '1')
  await client.insert({ table, values: [[2, 'two']], columns: ['id', 'text'], format: 'JSONCompactEachRow' })
  assert.deepEqual(await all(`SELECT text FROM ${table} WHERE text = {t:String}`, { query_params: { t: awkward } }), [{ text: awkward }])
  assert.deepEqual(await all('SELECT {a:Array(UInt8)} AS a', { query_params: { a: [1, 2] } }), [{ a: [1, 2] }])
  assert.deepEqual(
    await all('SELECT {a:String} AS a', { query_params: { a: 'in a form' }, use_multipart_params: true }),
    [{ a: 'in a form' }],
  )

  const rows = 100_000
  const source = Readable.from((function* () {
    for (let id = 10; id < 10 + rows; id++) yield { id, text: `row ${id}` }
  })())
  await client.insert({ table, values: source, format: 'JSONEachRow' })
  let count = 0, sum = 0
  const streamed = await client.query({ query: `SELECT * FROM ${table} WHERE id >= 10 ORDER BY id`, format: 'JSONEachRow' })
  for await (const chunk of streamed.stream()) {
    for (const row of chunk) { const { id } = row.json(); count++; sum += id }
  }
  assert.equal(count, rows)
  assert.equal(sum, rows * (10 + (10 + rows - 1)) / 2)

  await assert.rejects(all('SELECT * FROM no_such_table'), (e) => e instanceof ClickHouseError && e.code === '60' && e.type === 'UNKNOWN_TABLE')
  const late = await client.query({ query: "SELECT throwIf(number = 600000, 'late') AS n FROM numbers(700000)", format: 'JSONEachRow' })
  await assert.rejects(async () => { for await (const _ of late.stream()) { /* to its end */ } }, compression ? /late|error in the stream/ : /late/)

  const abort = new AbortController()
  const endless = client.query({ query: 'SELECT sum(sipHash64(number)) FROM numbers(100000000000)', abort_signal: abort.signal })
  setTimeout(() => abort.abort(), 200)
  await assert.rejects(endless)
  assert.deepEqual(await all("SELECT getSetting('max_threads') AS n", { clickhouse_settings: { max_threads: 3 } }), [{ n: 3 }])
  assert.equal((await client.exec({ query: 'SELECT 1' })).query_id.length, 36)
  await assert.rejects(all('SELECT 1', { session_id: 'mine' }), /sessions are not supported/)
  await client.close()
}

await run(false)
await run(true)
const stranger = createClient({ url, log, username: 'nobody', password: 'guess' })
await assert.rejects(stranger.query({ query: 'SELECT 1' }), (e) => e.code === '516' && e.type === 'AUTHENTICATION_FAILED')
await stranger.close()
console.log('ok')
