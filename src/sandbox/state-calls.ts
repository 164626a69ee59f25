import type { EmulatorRequest, EmulatorResponse } from './emulators/emulator.ts'

/** What goes between the process and the thread of its state: first `Started`, then an `Answer` for each `Call`. */
export interface Started {
  /** Base URLs. */
  readonly cosmos: string
  readonly queues: string
}

export interface Call extends Omit<EmulatorRequest, 'url'> {
  readonly id: number
  readonly service: 'cosmos' | 'queues'
  /** The request's URL, which by itself cannot be sent to a thread. */
  readonly href: string
}

export interface Answer {
  readonly id: number
  readonly response?: EmulatorResponse
  readonly error?: string
}
