import { execFile } from 'node:child_process'
import { mkdir, readFile, readlink, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { cleanUp, newDataDir, postmasterPid, query, start } from './embedded-support.ts'

afterEach(cleanUp)

describe('an embedded Postgres', () => {
  test('starts in an empty directory and serves the database action_do to a role without privileges', async () => {
    const postgres = await start(await newDataDir())
    const [row] = await query(
      postgres.connection,
      `select current_setting('server_version_num')::int / 10000 as major, current_database() as database,
        current_setting('server_encoding') as encoding, current_setting('is_superuser') as superuser,
        current_setting('max_connections') as max_connections, current_setting('synchronous_commit') as safe`,
    )
    expect(row).toEqual({
      major: 18,
      database: 'action_do',
      encoding: 'UTF8',
      superuser: 'off',
      max_connections: '200',
      safe: 'on',
    })
    await postgres.stop()
  })

  test('keeps its data over restarts', async () => {
    const dataDir = await newDataDir()
    const first = await start(dataDir, {})
    await query(first.connection, `create table kept as select 'here' as word`)
    await first.stop()
    const second = await start(dataDir, {})
    expect(await query(second.connection, 'select word from kept')).toEqual([{ word: 'here' }])
    await second.stop()
  })

  test('has stopped when stop resolves, however often it is called', async () => {
    const dataDir = await newDataDir()
    const postgres = await start(dataDir)
    expect(await postmasterPid(dataDir)).toBeDefined()
    await Promise.all([postgres.stop(), postgres.stop()])
    await postgres.stop()
    expect(await postmasterPid(dataDir)).toBeUndefined()
    expect(await readFile(join(dataDir, 'postgres-18/server.log'), 'utf8')).toMatch(/database system is shut down\n$/)
  })

  test('takes settings, but none that would hide it or open it to the network', async () => {
    const postgres = await start(await newDataDir(), { max_connections: '33', listen_addresses: '*', port: '1' })
    expect(await query(postgres.connection, 'show max_connections')).toEqual([{ max_connections: '33' }])
    expect(await query(postgres.connection, 'show listen_addresses')).toEqual([{ listen_addresses: '' }])
    await postgres.stop()
  })

  test('keeps out other users of the machine', async () => {
    const dataDir = await newDataDir()
    const postgres = await start(dataDir)
    expect((await stat(postgres.connection.host)).mode & 0o777).toBe(0o700)
    await postgres.stop()
  })

  test.each(['a folder, with: "everything" & ünï$codé', 'deep/'.repeat(30)])('starts in %s', async (name) => {
    const dataDir = join(await newDataDir(), name)
    const postgres = await start(dataDir)
    expect(Buffer.byteLength(postgres.connection.host)).toBeLessThan(90)
    expect(await query(postgres.connection, 'select 1 as one')).toEqual([{ one: 1 }])
    await postgres.stop()
    const again = await start(dataDir)
    expect(again.connection).toEqual(postgres.connection)
    await again.stop()
  })

  test('is left alone by Ctrl-C: it leads a session of its own', async () => {
    const dataDir = await newDataDir()
    const postgres = await start(dataDir)
    const pid = await postmasterPid(dataDir)
    const { stdout } = await promisify(execFile)('ps', ['-o', 'pgid=', '-p', String(pid)])
    expect(Number(stdout)).toBe(pid)
    await postgres.stop()
  })

  test('runs with a clean environment', async () => {
    process.env.PGOPTIONS = '--work_mem=1MB'
    process.env.PGDATA = '/nowhere'
    const dataDir = await newDataDir()
    const postgres = await start(dataDir).finally(() => {
      delete process.env.PGOPTIONS
      delete process.env.PGDATA
    })
    if (process.platform === 'linux') {
      const environment = await readFile(`/proc/${await postmasterPid(dataDir)}/environ`, 'utf8')
      expect(environment).not.toContain('PGOPTIONS')
      expect(await readlink(`/proc/${await postmasterPid(dataDir)}/cwd`)).toBe(join(dataDir, 'postgres-18'))
    }
    await postgres.stop()
  })

  test('does not let its log grow over 10 MB across starts', async () => {
    const dataDir = await newDataDir()
    await (await start(dataDir)).stop()
    const log = join(dataDir, 'postgres-18/server.log')
    await truncate(log, 11 * 1024 * 1024)
    await (await start(dataDir)).stop()
    expect((await stat(log)).size).toBeLessThan(10_000)
  })
})

describe('an embedded Postgres that cannot start says why and what to do', () => {
  test('with data of another major version', async () => {
    const dataDir = await newDataDir()
    await mkdir(join(dataDir, 'postgres-18'))
    await writeFile(join(dataDir, 'postgres-18/PG_VERSION'), '17\n')
    await expect(start(dataDir)).rejects.toThrow(/holds data of Postgres 17; this is Postgres 18[\s\S]*DATABASE_URL/)
  })

  test('with the data of an earlier release beside it, which an empty database would seem to have lost', async () => {
    const dataDir = await newDataDir()
    await mkdir(join(dataDir, 'postgres-17'))
    await expect(start(dataDir)).rejects.toThrow(/another major version[\s\S]*DATABASE_URL/)
  })

  test('with a setting that Postgres refuses: the end of its log', async () => {
    const dataDir = await newDataDir()
    await expect(start(dataDir, { shared_buffers: 'much' })).rejects.toThrow(
      /invalid value for parameter "shared_buffers": "much"[\s\S]*DATABASE_URL/,
    )
    await (await start(dataDir)).stop()
  })

  test('with a file where the directory should be', async () => {
    const dataDir = join(await newDataDir(), 'file')
    await writeFile(dataDir, '')
    await expect(start(dataDir)).rejects.toThrow(/EEXIST[\s\S]*DATABASE_URL/)
  })

  test('when initdb fails: its output, and nothing half-made', async () => {
    const dataDir = await newDataDir()
    await mkdir(join(dataDir, 'postgres-18'))
    await writeFile(join(dataDir, 'postgres-18/somebody'), 'else')
    await expect(start(dataDir)).rejects.toThrow(/could not be created[\s\S]*DATABASE_URL/)
  })
})
