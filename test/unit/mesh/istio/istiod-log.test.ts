import { describe, expect, it } from 'vitest'
import { podSays, sayingOf, shown } from '../../../../src/mesh/istio/istiod-log.ts'

const TAKEN = 'Istiod has detected the newly added intermediate CA and updated its key and certs accordingly'
const ROOT = 'Updating new ROOT-CA not supported'
const BUNDLE =
  'Failed to update new Plug-in CA certs: cannot verify the cert with the provided root chain and cert pool'

/** As istio/istio has them in pilot/pkg/bootstrap at the tags 1.26.0 to 1.30.3. */
describe("a line of istiod's log", () => {
  it.each([
    [TAKEN, 'taken'],
    [ROOT, 'root'],
    ['Multi root is disabled, updating new ROOT-CA not supported', 'root'],
    [BUNDLE, 'bundle'],
    ['Failed generating plugged-in istiod key cert: no key', 'bundle'],
    ['failed reading root-cert.pem: open: no such file', 'bundle'],
    ['unable to determine signing file format no such file', 'bundle'],
    ['Update Istiod cacerts', 'begun'],
    ['Updating new ROOT-CA', 'begun'],
    ['update root cert and generate new dns certs', 'begun'],
    ['Update trust anchor with new root cert', 'begun'],
    ['Istiod certificates are reloaded', 'begun'],
    ['x509 cert - Issuer: "CN=a", Subject: "", SN: 1f', undefined],
    ['Push debounce stable[12] 1 for config Secret/istio-system/cacerts: 100ms', undefined],
    ['', undefined],
  ])('%s: %s', (line, saying) => {
    expect(sayingOf(line)).toBe(saying)
    expect(sayingOf(`2026-05-01T10:00:00.000000Z\twarn\t${line}`)).toBe(saying)
  })

  it('is kept without what is like a PEM, in one line of 300 characters at most', () => {
    const key = '-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEE\\n-----END EC PRIVATE KEY-----'
    expect(shown(`Failed to update new Plug-in CA certs:\t${key} is none`)).toBe(
      'Failed to update new Plug-in CA certs: [PEM] is none',
    )
    expect(shown('cut off -----BEGIN PRIVATE KEY-----MHcCAQEE')).toBe('cut off [PEM]')
    expect(shown('x'.repeat(1000))).toHaveLength(300)
  })
})

describe('what a Pod of istiod says of a write', () => {
  const WRITTEN = Date.parse('2026-05-01T10:00:00.000Z')
  const at = (seconds: number) => new Date(WRITTEN + seconds * 1000).toISOString()
  const says = (...lines: readonly (readonly [seconds: number, text: string])[]) => {
    // A kubelet gives nine digits of a second.
    const log = lines.map(([seconds, text]) => `${at(seconds).replace('Z', '123456Z')} info\t${text}\n`).join('')
    const { state, ...more } = podSays(log, WRITTEN)
    return 'at' in more ? `${state} at ${(more.at - WRITTEN) / 1000}` : state
  }
  it.each<[string, readonly (readonly [number, string])[], string]>([
    ['nothing', [], 'silent'],
    ['that it has begun tells nothing of the end', [[5, 'Updating new ROOT-CA']], 'silent'],
    [
      'that it took it',
      [
        [5, 'Update Istiod cacerts'],
        [6, TAKEN],
      ],
      'taken at 6',
    ],
    ['that it refused it', [[5, ROOT]], 'refused at 5'],
    [
      'a refusal, since the first of them',
      [
        [5, BUNDLE],
        [65, BUNDLE],
      ],
      'refused at 5',
    ],
    [
      'a refusal that mended',
      [
        [5, BUNDLE],
        [65, TAKEN],
      ],
      'taken at 65',
    ],
    [
      'a refusal of what came after',
      [
        [5, TAKEN],
        [65, ROOT],
      ],
      'refused at 65',
    ],
    [
      'a refusal anew',
      [
        [5, BUNDLE],
        [10, TAKEN],
        [65, BUNDLE],
      ],
      'refused at 65',
    ],
    [
      'of a write before, nothing',
      [
        [-60, ROOT],
        [-31, BUNDLE],
      ],
      'silent',
    ],
    ['a refusal just before the write was known to be whole', [[-20, ROOT]], 'refused at -20'],
    ['not that it took what may have been a part', [[-20, TAKEN]], 'silent'],
    [
      'nor that a refusal before that stands',
      [
        [-20, BUNDLE],
        [-10, TAKEN],
      ],
      'silent',
    ],
  ])('%s', (_, lines, expected) => {
    expect(says(...lines)).toBe(expected)
  })

  it('is nothing where lines have no times', () => {
    expect(podSays(`${ROOT}\n{"level":"warn"}\n\n`, WRITTEN)).toEqual({ state: 'silent' })
  })
})
