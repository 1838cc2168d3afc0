import { describe, expect, it } from 'vitest'
import { parseOptions, UsageError } from '../../bench/options.ts'

const parse = (...args: string[]) => parseOptions(args, ['execute', 'http'], ['product', 'dbos'])

describe('the options of the benchmark', () => {
  it('measure everything in three rounds when nothing is said', () => {
    expect(parse()).toMatchObject({ quick: false, rounds: 3, only: undefined, peers: undefined, json: undefined })
  })

  it('take names separated by commas', () => {
    expect(parse('--only', 'http, execute', '--peers', 'dbos')).toMatchObject({
      only: ['http', 'execute'],
      peers: ['dbos'],
    })
  })

  it('make rounds shorter when quick', () => {
    expect(parse('--quick')?.roundMs).toBeLessThan(parse()?.roundMs ?? 0)
  })

  it('answer a request for help with nothing to measure', () => {
    expect(parse('--help')).toBeUndefined()
  })

  it.each([
    [['--only', 'everything'], '--only knows no "everything"; there are execute, http'],
    [['--peers', 'product,temporal'], '--peers knows no "temporal"; there are product, dbos'],
    [['--rounds', '0'], '--rounds is "0"; it must be a whole number, 1 to 20'],
    [['--rounds', 'many'], '--rounds is "many"'],
    [['--fast'], '--fast'],
    [['execute'], 'execute'],
  ])('refuse %j and say what would be right', (args, message) => {
    expect(() => parse(...args)).toThrow(UsageError)
    expect(() => parse(...args)).toThrow(message)
  })
})
