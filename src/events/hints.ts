import type { Logger } from 'pino'
import type { Database } from '../db/client.ts'
import { listenForHints, sendHint } from '../db/hints.ts'
import { type Hint, MANY_ROOTS } from './hub.ts'

/** At most 20 notifications a second from one node: each takes a lock that all notifiers of the database share. */
const GAP_MS = 50

/** Postgres refuses payloads of 8,000 bytes or more; so many ids stay below. */
const MAX_IDS = 150

/**
 * Tells the other nodes what changed, and hears them: coalesced, never inside a transaction that writes, and only as a hint.
 */
export class Hints {
  private pending: Hint = empty()
  private timer: NodeJS.Timeout | undefined
  private lastSentMs = 0
  private unlisten: (() => Promise<void>) | undefined
  private stopped = false
  private readonly db: Database
  private readonly node: string
  private readonly log: Logger

  constructor(db: Database, node: string, log: Logger) {
    this.db = db
    this.node = node
    this.log = log
  }

  /**
   * @param heard what another node said.
   * @param missed the connection was made, or made anew: what was said in between is lost, so look at everything.
   */
  async listen(heard: (hint: Hint) => void, missed: () => void): Promise<void> {
    this.unlisten = await listenForHints(
      this.db,
      (payload) => {
        const { node, ...hint } = JSON.parse(payload) as Hint & { node: string }
        if (node !== this.node) heard(hint)
      },
      missed,
    )
  }

  /** Adds to the next notification, which goes at once if none went in the last 50 ms. */
  send({ roots = [], queued = [], canceled = [] }: Partial<Hint>): void {
    if (this.stopped) return
    // once too many have changed, none is named
    if (this.pending.roots.length <= MAX_IDS / 3 && !add(this.pending.roots, roots))
      this.pending.roots[MAX_IDS / 3] = MANY_ROOTS
    add(this.pending.queued, queued)
    add(this.pending.canceled, canceled)
    if (this.timer) return
    const delay = Math.max(0, this.lastSentMs + GAP_MS - performance.now())
    this.timer = setTimeout(() => this.flush(), delay)
  }

  async stop(): Promise<void> {
    if (this.timer) this.flush()
    this.stopped = true
    await this.unlisten?.().catch(() => {})
  }

  private flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.lastSentMs = performance.now()
    const hint = this.pending
    this.pending = empty()
    sendHint(this.db, JSON.stringify({ node: this.node, ...hint })).catch((error) => {
      // Not lost: the other nodes poll.
      this.log.debug({ err: error }, 'a hint to the other nodes was not sent')
    })
  }
}

function empty(): Hint {
  return { roots: [], queued: [], canceled: [] }
}

/** False where not all of them fit. What is not said to be missing is found by polling. */
function add(list: string[], more: readonly string[]): boolean {
  for (const one of more) {
    if (list.includes(one)) continue
    if (list.length >= MAX_IDS / 3) return false
    list.push(one)
  }
  return true
}
