import type { Feature } from '../../../../src/mesh/features.ts'

/** One way to use a feature, and what comes of it. */
export interface PolicyRow {
  /** Fields of the service beside those of `specOf`. */
  readonly change: Readonly<Record<string, unknown>>
  /** Parts of specs by kind, or `Kind name`. */
  readonly gives?: Readonly<Record<string, object>>
  /** Dotted fields that the first of these specs does not have. */
  readonly lacks?: readonly string[]
  /** Kinds of which there is no object. */
  readonly without?: readonly string[]
  /** In place of `gives`: the pointer that the refusal names. */
  readonly refused?: string
}

export type PolicyRows = Readonly<Partial<Record<Feature, readonly PolicyRow[]>>>
