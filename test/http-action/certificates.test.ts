import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { SECRET, startService } from '../support/http-service.ts'
import { startServerProcess } from '../support/process.ts'

const run = promisify(execFile)

let folder: string

/** An authority, a certificate of it for the name `localhost`, one that has expired, and one that vouches for itself. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'action-do-tls-'))
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test CA', '-days', '2')
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  await openssl('req', '-x509', ...key, ...name, '-keyout', 'self.key', '-out', 'self.pem', '-days', '2')
  await writeFile(join(folder, 'ca.cnf'), CA_CONFIGURATION)
  await writeFile(join(folder, 'index.txt'), '')
  await writeFile(join(folder, 'serial'), '01')
  for (const [file, from, to] of [
    ['good', '20200101000000Z', '20990101000000Z'],
    ['expired', '20200101000000Z', '20200201000000Z'],
  ] as const) {
    await openssl('req', ...key, '-subj', `/CN=${file}`, '-keyout', `${file}.key`, '-out', `${file}.csr`)
    const files = ['-in', `${file}.csr`, '-out', `${file}.pem`]
    await openssl('ca', '-batch', '-config', 'ca.cnf', '-startdate', from, '-enddate', to, ...files)
  }
  return () => rm(folder, { recursive: true, force: true })
})

const CA_CONFIGURATION = `
[ca]
default_ca = test
[test]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
x509_extensions = server
[any]
commonName = supplied
[server]
subjectAltName = DNS:localhost
`

/** A service under this certificate; counts the requests that get through. */
async function tlsService(certificate: string): Promise<{ port: number; requests: () => number }> {
  let requests = 0
  const [key, cert] = await Promise.all(
    [`${certificate}.key`, `${certificate}.pem`].map((file) => readFile(join(folder, file))),
  )
  const server = createServer({ key: key!, cert: cert! }, (_, res) => {
    requests++
    res.writeHead(200, { 'content-type': 'application/json' }).end('"through"')
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, requests: () => requests }
}

/** Of a server that trusts the authority: how its actions `once` and `other` end. */
async function outcomes(serviceUrl: string, otherUrl: string) {
  const env = {
    ...{ SERVICE_URL: serviceUrl, OTHER_URL: otherUrl, SECRET, HTTP_ACTIONS_ALLOW: '127.0.0.1, localhost' },
    NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
  }
  const server = await startServerProcess('http-actions-server', { databaseUrl: await testDatabase(), env })
  const of = async (name: string) => {
    const { run } = await server.execute({ name })
    return run?.error?.code ?? run?.result
  }
  return [await of('once'), await of('other')]
}

test('a certificate of a trusted authority is taken for its name alone', async () => {
  const { port, requests } = await tlsService('good')
  expect(await outcomes(`https://localhost:${port}/`, `https://127.0.0.1:${port}/`)).toEqual(['through', 'NOT_REACHED'])
  expect(requests()).toBe(1)
})

test('no request goes to a service whose certificate has expired, or vouches for itself', async () => {
  const [expired, self] = [await tlsService('expired'), await tlsService('self')]
  const [first, second] = await outcomes(`https://localhost:${expired.port}/`, `https://localhost:${self.port}/`)
  expect([first, second]).toEqual(['NOT_REACHED', 'NOT_REACHED'])
  expect(expired.requests() + self.requests()).toBe(0)
})

test('a service that speaks no TLS is not reached over https', async () => {
  const plain = new URL(await startService((_, res) => void res.end()))
  const { port } = await tlsService('good')
  expect(await outcomes(`https://localhost:${plain.port}/`, `https://localhost:${port}/`)).toEqual([
    'NOT_REACHED',
    'through',
  ])
})
