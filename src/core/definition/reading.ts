import type { Effect } from '../effect.ts'
import type { Issues, Path } from './issues.ts'
import type { JsonObject, Members } from './members.ts'
import type { Places } from './place.ts'
import type { Kind } from './step-kinds.ts'

/** What a definition may call. */
export interface Known {
  hasAction(name: string): boolean
  hasWorkflow(name: string): boolean
  /** The effect class of an action; undefined where it is not known. */
  effectOf?(name: string): Effect | undefined
}

/** A definition that is being read: what is shared by all of its parts. */
export interface Reading {
  readonly issues: Issues
  readonly places: Places
  readonly known: Known
  /** The keys of all steps. */
  readonly keys: ReadonlySet<string>
}

/** One step that is being read. */
export interface StepReading extends Reading {
  readonly key: string
  readonly kind: Kind
  readonly object: JsonObject
  readonly members: Members
  readonly path: Path
}
