import { domainToASCII } from 'node:url'
import { addressProblem, contains, parseAddress, parseNetwork } from './address.ts'

/** Decides which hosts and addresses HTTP actions may be sent to besides those of the internet. */
export interface AllowList {
  /** The host may be anywhere: its addresses are not checked. */
  allowsHost(hostname: string): boolean
  /** Why an address must not be connected to; `undefined` where it may. */
  problemOf(address: string): string | undefined
}

/** A host name, or `*.` and one for all below it; letters, digits, `-` and `_` as name servers know them. */
const HOST = /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/

/** A name whose last part is a number is an address in some notation, never a name. */
const ENDS_IN_NUMBER = /(^|\.)(\d+|0x[0-9a-f]*)$/

/** The conversion of international names would cut an entry at the first of these. */
const URL_CHARACTERS = /[/\\:?#@%\s]/

/** Splits and checks the entries of a list; `undefined` where one is no host, address or network. */
export function parseAllowList(text: string): readonly string[] | undefined {
  const entries = text
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
  return entries.every(isEntry) ? entries : undefined
}

function isEntry(entry: string): boolean {
  if (parseAddress(entry) || parseNetwork(entry)) return true
  return entry.length <= 253 && !URL_CHARACTERS.test(entry) && HOST.test(asciiOf(entry)) && !ENDS_IN_NUMBER.test(entry)
}

/** International names as name servers know them. */
function asciiOf(entry: string): string {
  return entry.startsWith('*.') ? `*.${domainToASCII(entry.slice(2))}` : domainToASCII(entry)
}

/** @param entries as `parseAllowList` gives them. */
export function allowList(entries: readonly string[]): AllowList {
  const networks = entries.map(networkOf).filter((network) => network !== undefined)
  const hosts = entries.filter((entry) => !networkOf(entry)).map(asciiOf)
  return {
    allowsHost(hostname) {
      const name = hostname.toLowerCase().replace(/\.$/, '')
      return hosts.some((host) => (host.startsWith('*.') ? name.endsWith(host.slice(1)) : name === host))
    },
    problemOf(address) {
      const parsed = parseAddress(address)
      if (parsed && networks.some((network) => contains(network, parsed))) return undefined
      return addressProblem(address)
    },
  }
}

/** A single address is a network of one. */
function networkOf(entry: string): ReturnType<typeof parseNetwork> {
  const address = parseAddress(entry)
  return address ? [address, address.toByteArray().length * 8] : parseNetwork(entry)
}
