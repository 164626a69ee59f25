import type { NamedStep } from '../rollouts/named-step.ts'
import { VERBS, type Verb } from '../rollouts/verbs.ts'
import { readStepWords } from './step-words.ts'

/** What a command is about. A bare name is a service when only one has it, or a certificate. */
export type Target =
  | { readonly kind: 'rollout'; readonly id: string }
  | { readonly kind: 'service'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'name'; readonly name: string }

export type ChatVerb = Verb | 'rotate' | 'status'

export type Command =
  | { readonly verb: 'help' }
  | {
      readonly verb: ChatVerb
      readonly target: Target
      readonly note: string
      /** Of `approve` and `reject`: the step that is meant. */
      readonly at?: NamedStep
    }

export type ParsedCommand =
  | { readonly ok: true; readonly command: Command }
  /** `problem` is a sentence for who asked. */
  | { readonly ok: false; readonly problem: string }

const CHAT_VERBS: readonly string[] = [...VERBS, 'rotate', 'status']
const ON_STEPS: readonly ChatVerb[] = ['approve', 'reject']
/** As many as the REST API takes. */
const MOST_NOTE = 500
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
/** NAMESPACE.SERVICE.SUFFIX */
const ROLLOUT = /^[a-z0-9][-a-z0-9]{0,62}\.[a-z0-9][-a-z0-9]{0,62}\.[a-z0-9]{1,63}$/

/** A command as people type it: a verb, what it is about, and the rest as a note. Total: any text is one or the other. */
export function parseCommand(text: string): ParsedCommand {
  const [first = '', about = '', ...rest] = text
    .replaceAll(/\p{C}/gu, ' ')
    .split(/\s+/u)
    .filter((word) => word !== '')
  const verb = bare(first).toLowerCase()
  if (verb === '' || verb === 'help') return { ok: true, command: { verb: 'help' } }
  if (!isVerb(verb)) return problem(`I do not know the word ${shortened(first)}.`)
  if (about === '') return problem(`Say what to ${verb === 'status' ? 'look at' : verb}: a service, such as shop/web.`)
  const target = parseTarget(bare(about).toLowerCase())
  if (!target) return problem(`${shortened(about)} is no name of a service, rollout or certificate.`)
  const { at, rest: words } = ON_STEPS.includes(verb) ? readStepWords(rest) : { rest }
  const note = shorten(words.join(' '), MOST_NOTE)
  return { ok: true, command: { verb, target, note, ...(at === undefined ? {} : { at }) } }
}

function isVerb(word: string): word is ChatVerb {
  return CHAT_VERBS.includes(word)
}

function parseTarget(text: string): Target | undefined {
  if (ROLLOUT.test(text)) return { kind: 'rollout', id: text }
  const [namespace = '', name, more] = text.split('/')
  if (more !== undefined || !LABEL.test(namespace)) return undefined
  if (name === undefined) return { kind: 'name', name: namespace }
  return LABEL.test(name) ? { kind: 'service', namespace, name } : undefined
}

/** Without what people put around a name: quotes, backticks, a full stop. */
function bare(word: string): string {
  return word.replaceAll(/^[`'"*_(]+|[`'"*_),.:;!?]+$/g, '')
}

function problem(text: string): ParsedCommand {
  return { ok: false, problem: `${text} Say help to see what I can do.` }
}

function shortened(word: string): string {
  return `“${shorten(word, 40)}”`
}

/** Cut between characters, never within one. */
function shorten(text: string, most: number): string {
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`
}
