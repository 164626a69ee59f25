import { spawn } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { SANDBOX_GROUP } from '../../../src/sandbox/identities.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'

/** The pipelines of docs/pipelines.md, step by step as they stand there. Only the sign-in to Azure is played. */

const DOCS = join(import.meta.dirname, '../../../docs')
const text = readFileSync(join(DOCS, 'pipelines.md'), 'utf8')
const blocks = (language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm'))].map(([, , body = '']) => body)
const [serviceJson = '', releaseJson = ''] = blocks('json')
const [githubYaml = '', azureYaml = ''] = blocks('yaml')

interface Step {
  readonly run?: string
  readonly id?: string
  readonly env?: Readonly<Record<string, string>>
  readonly task?: string
  readonly inputs?: { readonly inlineScript?: string }
}
interface Ran {
  readonly code: number | null
  readonly output: string
}

let product: Product
let folder: string

beforeAll(async () => {
  product = await startProduct('--empty')
  await product.world('PUT', '/clusters/east/services/shop/web', {
    versions: { v1: { errorPercent: 0 }, v2: { errorPercent: 0 } },
    demand: { requestsPerSecond: 150 },
  })
  await product.call('PUT', '/teams/shop', { body: { namespaces: ['shop'], groups: [SANDBOX_GROUP] } })
  const metrics = { prometheus: { url: `${product.file.prometheus}/east` }, delay: '1s', every: '2s' }
  await product.call('PUT', '/clusters/east', { body: { kubeconfig: { context: 'east' }, metrics } })
  folder = mkdtempSync(join(tmpdir(), 'meshwright-pipeline-'))
  mkdirSync(join(folder, 'ci'))
  mkdirSync(join(folder, 'bin'))
  cpSync(join(DOCS, 'pipelines/meshwright.sh'), join(folder, 'ci/meshwright.sh'))
  writeFileSync(join(folder, 'ci/service.json'), serviceJson)
  const az = `#!/bin/sh\n[ "$*" = 'account get-access-token --resource api://meshwright --query accessToken --output tsv' ] || exit 9\necho '${product.file.tokens.deployer}'\n`
  writeFileSync(join(folder, 'bin/az'), az)
  chmodSync(join(folder, 'bin/az'), 0o755)
})

afterAll(async () => {
  await product.close()
  rmSync(folder, { recursive: true, force: true })
})

function release(changes: object): void {
  writeFileSync(join(folder, 'ci/release.json'), JSON.stringify({ ...JSON.parse(releaseJson), ...changes }))
}

/** GitHub runs steps by `bash -eo pipefail`, the task of Azure DevOps by `bash` alone. */
function run(script: string, env: Readonly<Record<string, string>>, ...flags: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const own = {
      PATH: `${join(folder, 'bin')}:${join(process.execPath, '..')}:/usr/local/bin:/usr/bin:/bin`,
      MESHWRIGHT_URL: product.file.baseUrl,
      MESHWRIGHT_AUDIENCE: 'api://meshwright',
      SERVICE: 'shop/web',
      CANDIDATE: 'v2',
      LONGEST_CALL: '5s',
      PERSON_PAUSE: '0.1',
    }
    const child = spawn('bash', [...flags, '-c', script], {
      cwd: folder,
      env: { ...own, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => {
        output += part
      })
    }
    child.on('close', (code) => resolve({ code, output }))
  })
}

/** Runs the steps of a GitHub job until one fails, as its runner would. */
async function runGithub(runId: string): Promise<Ran & { readonly summary: string }> {
  const { jobs } = parse(githubYaml) as { jobs: { release: { env: Record<string, string>; steps: readonly Step[] } } }
  const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') }
  for (const file of Object.values(files)) writeFileSync(file, '')
  const values: Record<string, string> = { 'github.sha': 'abc123', 'github.run_id': runId, 'github.run_attempt': '1' }
  Object.assign(values, { 'github.server_url': 'https://github.com', 'github.repository': 'shop/web' })
  Object.assign(values, { 'vars.MESHWRIGHT_URL': product.file.baseUrl, 'vars.MESHWRIGHT_AUDIENCE': 'api://meshwright' })
  const fill = (env: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(env).map(([name, value]) => [
        name,
        value.replaceAll(/\$\{\{ (.*?) \}\}/g, (_, key) => values[key] ?? '?'),
      ]),
    )
  let last: Ran = { code: 0, output: '' }
  for (const step of jobs.release.steps) {
    if (step.run === undefined) continue
    last = await run(step.run, { ...fill(jobs.release.env), ...fill(step.env ?? {}), ...files }, '-eo', 'pipefail')
    if (last.code !== 0) break
    for (const line of readFileSync(files.GITHUB_OUTPUT, 'utf8').split('\n').filter(Boolean)) {
      const [name, value = ''] = line.split('=')
      values[`steps.${step.id ?? ''}.outputs.${name}`] = value
    }
  }
  return { ...last, summary: readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8') }
}

/** Runs the steps of the Azure DevOps job until one fails, as its agent would. */
async function runAzure(buildId: string): Promise<Ran> {
  const { jobs, variables } = parse(azureYaml) as {
    jobs: readonly { steps: readonly Step[] }[]
    variables: Record<string, string>
  }
  const env: Record<string, string> = {
    ...variables,
    BUILD_SOURCEVERSION: 'abc123',
    BUILD_BUILDID: buildId,
    SYSTEM_JOBATTEMPT: '1',
    SYSTEM_COLLECTIONURI: 'https://dev.azure.com/shop/',
    SYSTEM_TEAMPROJECT: 'web',
  }
  let last: Ran = { code: 0, output: '' }
  for (const { inputs } of jobs[0]?.steps ?? []) {
    if (inputs?.inlineScript === undefined) continue
    last = await run(inputs.inlineScript, env)
    if (last.code !== 0) break
    for (const [, name = '', value = ''] of last.output.matchAll(/##vso\[task\.setvariable variable=(\w+)\](.*)/g))
      env[name] = value
  }
  return last
}

describe('the check of docs/pipelines.md', () => {
  it('prints findings and fails as FAIL_ON says, before anything is registered', async () => {
    const script = 'ci/meshwright.sh check ci/service.json'
    // The cluster was registered just now: its mesh is found by a probe.
    await until(
      () => product.call<{ detected?: { provider?: string } }>('GET', '/clusters/east'),
      ({ body }) => body.detected?.provider !== undefined,
    )
    const passed = await run(script, {}, '-e')
    expect([passed.code, passed.output.trim().split('\n').at(-1)], passed.output).toEqual([0, 'passed'])
    const spec = JSON.parse(serviceJson) as { ports: readonly object[] }
    writeFileSync(join(folder, 'ci/bad.json'), JSON.stringify({ ...spec, ports: [{ ...spec.ports[0], port: 81 }] }))
    const failed = await run('ci/meshwright.sh check ci/bad.json', {}, '-e')
    expect(failed.code, failed.output).toBe(1)
    expect(failed.output).toMatch(/^east error PortMissing \/ports\/0\/port .*has no port 81/m)
    expect((await product.call('GET', '/services/shop/web')).status).toBe(404)
  })
})

const QUICK = { steps: [{ weight: 50, for: '2s' }], bake: '1s' }

describe('a pipeline of docs/pipelines.md', { timeout: 90_000 }, () => {
  it('of GitHub registers, releases, waits, and fails with the reason and a link to the evidence', async () => {
    await product.world('PATCH', '/clusters/east/services/shop/web/versions/v2', { errorPercent: 60 })
    release({ ...QUICK, steps: [{ weight: 50, for: '1m' }] })
    const ran = await runGithub('1')
    expect(ran.code, ran.output).toBe(1)
    expect(ran.summary).toMatch(/^shop\/web: rolled-back, \w+: .*requests failed/)
    const link = /Evidence: (\S+)/.exec(ran.summary)?.[1] ?? ''
    const evidence = await fetch(link, { headers: { authorization: `Bearer ${product.file.tokens.viewer}` } })
    expect(evidence.status).toBe(200)
  })

  it('of Azure DevOps promotes, and a step that is tried again is the same rollout', async () => {
    await product.world('PATCH', '/clusters/east/services/shop/web/versions/v2', { errorPercent: 0 })
    release(QUICK)
    const ran = await runAzure('2')
    expect(ran.code, ran.output).toBe(0)
    expect(ran.output).toContain('shop/web: succeeded')
    const again = await runAzure('2')
    expect(again.code, again.output).toBe(0)
    const { body } = await product.call<{ value: readonly { source?: { runUrl?: string } }[] }>(
      'GET',
      '/services/shop/web/rollouts',
    )
    expect(body.value.map(({ source }) => source?.runUrl)).toEqual([
      'https://dev.azure.com/shop/web/_build/results?buildId=2',
      'https://github.com/shop/web/actions/runs/1',
    ])
  })

  it('fails where nothing answers, and goes on with no rollout', async () => {
    release(QUICK)
    const away = { MESHWRIGHT_URL: 'http://127.0.0.1:9', RUN_KEY: '4', RETRIES: '0' }
    const ran = await run('id=$(ci/meshwright.sh release v2 ci/release.json); echo "id=$id"', away, '-e')
    expect(ran.code).not.toBe(0)
    expect(ran.output).not.toContain('id=')
  })

  it('says what the API refuses, and never shows the token', async () => {
    release({ ...QUICK, gates: [{ kind: 'nonsense' }] })
    const ran = await runGithub('3')
    expect(ran.code).toBe(1)
    expect(ran.output).toMatch(/answered 400: .*gates/)
    expect(ran.output).not.toContain(product.file.tokens.deployer)
  })
})
