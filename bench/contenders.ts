import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { entry } from './catalogue.ts'
import type { Cluster } from './cluster.ts'
import { installPeers, versionOf } from './install.ts'
import type { ContenderFacts } from './results.ts'
import { newerNodePath, type RunningContender, startContender } from './running-contender.ts'

/** The contenders of one run: each is started when it is first asked for, and stays until the end. */
export class Contenders {
  readonly facts: Record<string, ContenderFacts> = {}
  private readonly started = new Map<string, Promise<RunningContender>>()
  private readonly cluster: Cluster
  private readonly folder: string

  constructor(cluster: Cluster, folder: string) {
    this.cluster = cluster
    this.folder = folder
  }

  /** Throws where the contender does not start, each time with the same reason. */
  running(name: string): Promise<RunningContender> {
    const known = this.started.get(name)
    if (known) return known
    const starting = this.start(name)
    this.started.set(name, starting)
    return starting
  }

  async stop(): Promise<void> {
    const all = await Promise.allSettled(this.started.values())
    await Promise.all(all.map((one) => one.status === 'fulfilled' && one.value.stop()))
  }

  private async start(name: string): Promise<RunningContender> {
    const { file, label, package: peer, newerNode = false } = entry(name)
    if (peer !== undefined) await installPeers()
    const folder = join(this.folder, name)
    await mkdir(folder)
    const databaseUrl = await this.cluster.createDatabase(name)
    const running = await startContender(`contenders/${file}`, newerNode, { databaseUrl, folder, arguments: {} })
    this.facts[name] = {
      label,
      version: peer === undefined ? 'this checkout' : versionOf(peer),
      node: newerNode ? nodeVersion(newerNodePath()) : process.versions.node,
      setUp: running.setUp,
    }
    return running
  }
}

function nodeVersion(path: string): string {
  if (path === process.execPath) return process.versions.node
  const { version } = JSON.parse(readFileSync(join(path, '../../package.json'), 'utf8')) as { version: string }
  return version
}
