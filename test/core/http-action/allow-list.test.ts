import { describe, expect, test } from 'vitest'
import { addressProblem } from '../../../src/core/http-action/address.ts'
import { allowList, parseAllowList } from '../../../src/core/http-action/allow-list.ts'

describe('without an entry', () => {
  test.each([
    '0.0.0.0',
    '0.255.255.255',
    '10.0.0.1',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.254',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::7f00:1',
    '100::1',
    '2001::1',
    '2001:2::1',
    '2001:10::1',
    '2001:20::1',
    '2001:db8::1',
    '2002:7f00:1::1',
    '3fff::1',
    '4000::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
  ])('%s is refused', (address) => {
    expect(allowList([]).problemOf(address)).toEqual(expect.any(String))
  })

  test.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '169.253.0.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s is of the internet',
    (address) => {
      expect(allowList([]).problemOf(address)).toBeUndefined()
    },
  )

  test.each(['', 'localhost', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '::1%lo', '[::1]', '1.2.3.4/32'])(
    '%s is no address, and refused',
    (text) => {
      expect(addressProblem(text)).toBe('is no IP address')
    },
  )
})

test('a network allows what lies in it, and nothing beside it', () => {
  const list = allowList(['10.1.0.0/16', 'fd12::/16', '192.168.7.7'])
  for (const address of ['10.1.0.0', '10.1.255.255', 'fd12::1', '192.168.7.7'])
    expect(list.problemOf(address)).toBeUndefined()
  for (const address of ['10.2.0.0', '10.0.255.255', 'fd13::1', '192.168.7.8', '::ffff:10.1.0.1'])
    expect(list.problemOf(address)).toEqual(expect.any(String))
})

test('a host allows itself alone, one with a star what is below it', () => {
  const list = allowList(['billing.internal', '*.svc.local', 'bücher.example'])
  for (const host of ['billing.internal', 'BILLING.internal.', 'a.svc.local', 'a.b.svc.local', 'xn--bcher-kva.example'])
    expect(list.allowsHost(host)).toBe(true)
  for (const host of ['x.billing.internal', 'svc.local', 'evil-svc.local', 'billing.internal.evil.example'])
    expect(list.allowsHost(host)).toBe(false)
})

test('entries are read with whatever space and case they were written', () => {
  expect(parseAllowList(' Billing.Internal ,10.0.0.0/8,, ::1 ')).toEqual(['billing.internal', '10.0.0.0/8', '::1'])
})

test.each([
  '127.1',
  '0x7f.0.0.1',
  '017700000001',
  '10.0.0.0/8/8',
  '10.1.0.0/8',
  '1.2.3.4:80',
  'a..b',
  'x*.local',
  '*',
  'a/b',
])('%s is no entry', (entry) => {
  expect(parseAllowList(entry)).toBeUndefined()
})
