import { lookup as systemLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import type { AllowList } from '../core/http-action/allow-list.ts'

/** What a name server says of a name. */
export interface Resolved {
  readonly address: string
  readonly family: number
}

export type Resolve = (hostname: string) => Promise<readonly Resolved[]>

const CONNECT_TIMEOUT_MS = 5_000

/** The address lies where HTTP actions may not go. */
export class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED'
  constructor(hostname: string, address: string, problem: string) {
    const shown = hostname === address ? address : `${hostname} is ${address}, which`
    super(`${shown} ${problem}; HTTP_ACTIONS_ALLOW may allow it`)
  }
}

/** The connections to services: a pool for each origin, kept alive, and every address checked before it is connected to. */
export class Connections {
  private readonly kept: Agent
  private readonly single: Agent

  constructor(allow: AllowList, resolve: Resolve = resolveBySystem) {
    const connect = guardedConnector(allow, resolve)
    this.kept = new Agent({ connect })
    this.single = new Agent({ connect, pipelining: 0 })
  }

  /**
   * @param fresh over a connection of its own: one that was kept may be closed by the service at the moment when it is used,
   * and then nobody knows whether the request arrived.
   */
  for(fresh: boolean): Dispatcher {
    return fresh ? this.single : this.kept
  }

  /** Breaks off what is still open. */
  async close(): Promise<void> {
    await Promise.all([this.kept.destroy(), this.single.destroy()])
  }
}

const resolveBySystem: Resolve = (hostname) => systemLookup(hostname, { all: true })

/**
 * Connects to what was checked: the name is resolved once, each of its addresses is looked at, and these are what the socket is
 * given. Names that stand for themselves never come to a lookup, and are looked at before.
 */
function guardedConnector(allow: AllowList, resolve: Resolve): buildConnector.connector {
  const check = (hostname: string, address: string) => {
    const problem = allow.allowsHost(hostname) ? undefined : allow.problemOf(address)
    if (problem !== undefined) throw new AddressRefused(hostname, address, problem)
  }
  const connect = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    lookup: checkedLookup(resolve, check),
    rejectUnauthorized: true,
  })
  return (options, callback) => {
    try {
      if (isIP(options.hostname) !== 0) check(options.hostname, options.hostname)
      connect(options, callback)
    } catch (error) {
      callback(error as Error, null)
    }
  }
}

function checkedLookup(resolve: Resolve, check: (hostname: string, address: string) => void): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname)
      .then((found) => {
        for (const { address } of found) check(hostname, address)
        return found.map(({ address, family }) => ({ address, family }))
      })
      .then(
        (found) => {
          if (found[0] === undefined) callback(new Error(`${hostname} has no address`), '')
          else if (options.all) callback(null, found)
          else callback(null, found[0].address, found[0].family)
        },
        (error) => callback(error, ''),
      )
  }
}
