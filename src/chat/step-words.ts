import type { NamedStep } from '../rollouts/named-step.ts'

/** `wave 1 step 2`: how a command says which step is meant. Counted from 1, as every message does. */
export function stepWords({ wave, step }: Required<NamedStep>): string {
  return `wave ${wave + 1} step ${step + 1}`
}

const NUMBER = /^[1-9]\d{0,3}$/

/** The step that the words after a name begin with, if they do, and the words that are left. */
export function readStepWords(words: readonly string[]): { readonly at?: NamedStep; readonly rest: readonly string[] } {
  const wave = numberAfter('wave', words)
  const afterWave = wave === undefined ? words : words.slice(2)
  const step = numberAfter('step', afterWave)
  if (wave === undefined && step === undefined) return { rest: words }
  const at = { ...(wave === undefined ? {} : { wave }), ...(step === undefined ? {} : { step }) }
  return { at, rest: step === undefined ? afterWave : afterWave.slice(2) }
}

function numberAfter(word: 'wave' | 'step', [first = '', second = '']: readonly string[]): number | undefined {
  const number = second.replace(/[,.:;]+$/, '')
  return first.toLowerCase() === word && NUMBER.test(number) ? Number(number) - 1 : undefined
}
