import ipaddr from 'ipaddr.js'

/** An address as a connection would use it: what `new URL()` or a name server made of whatever was given. */
type Address = ipaddr.IPv4 | ipaddr.IPv6

/** What IPv6 assigns to the internet. The ranges outside of it have other meanings, or none yet. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number]

/** Public by its number, but answered by the machine below: Azure's channel to its virtual machines. */
const PUBLIC_BY_NUMBER_ONLY: readonly string[] = ['168.63.129.16']

/**
 * Why nothing may be connected to at an address unless the configuration allows it; `undefined` for an address of the
 * internet. Forms that carry another address (IPv4-mapped, NAT64, 6to4, Teredo) are refused whatever they carry.
 */
export function addressProblem(address: string): string | undefined {
  const parsed = parseAddress(address)
  if (!parsed) return 'is no IP address'
  const range = parsed.range()
  if (range !== 'unicast') return `is an address of the kind ${WORDS[range] ?? range}`
  if (parsed.kind() === 'ipv6' && !parsed.match(GLOBAL_UNICAST)) return 'is outside of the global IPv6 addresses'
  if (PUBLIC_BY_NUMBER_ONLY.includes(parsed.toString())) return 'is the one under which a cloud serves its machines'
  return undefined
}

const WORDS: Readonly<Record<string, string>> = {
  private: 'private network',
  linkLocal: 'link-local',
  uniqueLocal: 'unique-local',
  carrierGradeNat: 'carrier-grade NAT',
  ipv4Mapped: 'IPv4-mapped',
  rfc6052: 'NAT64',
  rfc6145: 'IPv4-translated',
  teredo: 'Teredo',
  reserved: 'reserved (documentation, benchmarks, or kept back)',
}

/** An address in canonical notation; `undefined` for anything else, `0x7f.1` and other shorthands included. */
export function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  return text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : undefined
}

/** A network in CIDR notation without bits of a host; `undefined` for anything else. */
export function parseNetwork(text: string): [Address, number] | undefined {
  const [base = '', bits = '', ...rest] = text.split('/')
  const address = parseAddress(base)
  if (!address || rest.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > address.toByteArray().length * 8)
    return undefined
  const network: [Address, number] = [address, Number(bits)]
  return hasHostBits(network) ? undefined : network
}

function hasHostBits([address, bits]: [Address, number]): boolean {
  return address.toByteArray().some((byte, i) => (byte & (0xff >> Math.max(0, Math.min(8, bits - i * 8)))) !== 0)
}

/** Whether a network has an address in it. */
export function contains([base, bits]: [Address, number], address: Address): boolean {
  if (base.kind() !== address.kind()) return false
  return address.kind() === 'ipv4'
    ? (address as ipaddr.IPv4).match(base as ipaddr.IPv4, bits)
    : (address as ipaddr.IPv6).match(base as ipaddr.IPv6, bits)
}
