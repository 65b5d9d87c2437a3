// Bluesky's own servers on loopback, from npm's @atproto/dev-env in the folder CALL_LIGHT_PDS: a directory of accounts
// (PLC) and a PDS; with DB_POSTGRES_URL also the AppView, which searches. Writes their addresses as one line of JSON and
// ends when its input is closed.
//
//     mkdir FOLDER && cd FOLDER && npm install @atproto/dev-env && npm rebuild better-sqlite3

const { createRequire } = require('node:module')
const path = require('node:path')

const folder = path.resolve(process.env.CALL_LIGHT_PDS)
const { TestBsky, TestPds, TestPlc, mockNetworkUtilities } = createRequire(path.join(folder, 'package.json'))(
  '@atproto/dev-env',
)

async function freePort() {
  const server = require('node:net').createServer()
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  await new Promise((done) => server.close(done))
  return port
}

async function main() {
  const plc = await TestPlc.create({})
  const port = await freePort()
  const bsky = process.env.DB_POSTGRES_URL
    ? await TestBsky.create({
        plcUrl: plc.url,
        pdsPort: port,
        repoProvider: `ws://localhost:${port}`,
        dbPostgresUrl: process.env.DB_POSTGRES_URL,
        dbPostgresSchema: 'appview',
      })
    : undefined
  const appView = bsky ? { bskyAppViewUrl: bsky.url, bskyAppViewDid: bsky.ctx.cfg.serverDid } : {}
  const pds = await TestPds.create({ port, didPlcUrl: plc.url, ...appView })
  mockNetworkUtilities(pds, bsky)
  process.stdout.write(JSON.stringify({ pds: pds.url, appview: bsky?.url ?? null }) + '\n')
  process.stdin.on('end', () => process.exit(0)).resume()
}

main().catch((error) => {
  process.stderr.write(`${error?.stack ?? error}\n`)
  process.exit(1)
})
