import type { App } from '../../src/app.ts'

let held: Promise<App> | undefined

/** The one app of this process, made at the first call: a start that serves no request loads nothing of it. */
export function heldApp(): Promise<App> {
  held ??= import('../../src/app.ts')
    .then(({ createApp }) => createApp())
    .catch((error: unknown) => {
      // The next call tries again: settings may come from a store that did not answer.
      held = undefined
      throw error
    })
  return held
}
