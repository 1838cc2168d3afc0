import { describe, expect, it } from 'vitest'
import { type SseMessage, SseParser } from '../src/sse.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const parse = (...pieces: Uint8Array[]): SseMessage[] => {
  const parser = new SseParser()
  return pieces.flatMap((piece) => parser.push(piece))
}

describe('SseParser', () => {
  const stream =
    ':\n\nevent: next\ndata: {"a":"ä€😀"}\n\n:ping\n\nevent: next\r\ndata: 1\r\ndata:2\r\n\r\nevent: complete\rdata\r\r'
  const messages = [
    { event: 'next', data: '{"a":"ä€😀"}' },
    { event: 'next', data: '1\n2' },
    { event: 'complete', data: '' },
  ]

  it('reads LF, CRLF and CR, comments and data of several lines', () => {
    expect(parse(bytes(stream))).toEqual(messages)
  })

  it('reads the same wherever the stream is cut, also inside a character', () => {
    const whole = bytes(stream)
    for (let a = 0; a <= whole.length; a++)
      for (let b = a; b <= whole.length; b += 7)
        expect(parse(whole.slice(0, a), whole.slice(a, b), whole.slice(b))).toEqual(messages)
  })

  it('reads the same byte by byte', () => {
    expect(parse(...Array.from(bytes(stream), (byte) => Uint8Array.of(byte)))).toEqual(messages)
  })

  it('gives no message before its blank line', () => {
    expect(parse(bytes('event: next\ndata: {"a":1}\n'))).toEqual([])
  })

  it('takes a name without data as a message, and data without a name', () => {
    expect(parse(bytes('event: complete\n\ndata: x\n\n'))).toEqual([
      { event: 'complete', data: '' },
      { event: 'message', data: 'x' },
    ])
  })

  it('strips one space after the colon and the byte order mark, and ignores other fields', () => {
    expect(parse(bytes('\uFEFFid: 7\nretry: 10\ndata:  two\nnonsense\n\n'))).toEqual([
      { event: 'message', data: ' two' },
    ])
  })
})
