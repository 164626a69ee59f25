/** Script of the dashboard. Runs in the reader's browser. */
export const DASHBOARD_SCRIPT = `
const FAST_MS = 2000
const SLOW_EVERY = 5
const EVIDENCE_MS = 5000
const TONES = {
  succeeded: 'good', baking: 'good', promoting: 'good', 'rolled-back': 'bad', 'rolling-back': 'bad', aborted: 'bad',
  failed: 'bad', paused: 'warn', blind: 'warn', 'awaiting-approval': 'warn', superseded: 'warn',
}
const VERDICTS = { safe: 'good', harm: 'bad', blind: 'warn' }
const ABNORMAL = ['Conflict', 'Drifted', 'Held', 'Frozen']
let round = 0
let timer
const openDetails = new Set()

class Refused extends Error {}

async function load(path) {
  const answer = await fetch('/api/v1' + path, { headers: { authorization: 'Bearer ' + token() }, cache: 'no-store' })
  const json = await answer.json()
  if (answer.status === 401 || answer.status === 403) throw new Refused(json.detail)
  if (!answer.ok) throw new Error(json.detail || 'The API answered ' + answer.status)
  return json
}

const time = (text) => new Date(text).toLocaleTimeString()

function conditionChip(condition) {
  const abnormal = ABNORMAL.includes(condition.type)
  const tone = condition.status === 'Unknown' ? 'warn' : (condition.status === 'True') === abnormal ? 'bad' : 'good'
  const shown = tone === 'good' ? condition.type : condition.type + ': ' + condition.reason
  return chip(shown, tone, condition.message)
}

const conditionChips = (conditions) =>
  conditions.length === 0 ? chip('not looked at yet') : conditions
    .filter((condition) => !(ABNORMAL.includes(condition.type) && condition.status === 'False'))
    .map(conditionChip)

function targetRow(target) {
  const part = el('div', { class: 'part' })
  part.style.width = target.weight + '%'
  const bar = el('div', { class: 'bar', role: 'img', 'aria-label': target.weight + ' % to ' + target.candidate },
    part, el('div', { class: 'words' },
      el('span', {}, target.stable + ' ' + (100 - target.weight) + ' %'),
      el('span', {}, target.candidate + ' ' + target.weight + ' %')))
  const seen = target.observedWeight === null ? 'not seen yet' : 'seen: ' + target.observedWeight.toFixed(1) + ' %'
  return el('div', { class: 'target' }, el('span', {}, target.cluster), bar, el('span', { class: 'soft small' }, seen,
    target.rollbackReadiness === 'degraded' && chip('rollback degraded', 'warn')))
}

function stepWords(step) {
  if (step.hold) return 'hold ' + step.hold
  if (step.webhook) return 'webhook ' + new URL(step.webhook.url).host
  const traffic = step.mirror ? 'copies of ' + step.mirror + ' %'
    : [step.weight && step.weight + ' %', step.match && 'what matches'].filter(Boolean).join(' and ')
  const ends = [step.approval && 'approval', step.analysis && 'analysis'].filter(Boolean).join(' + ')
  if (!traffic) return ends
  return traffic + ' ' + step.for + (ends ? ' + ' + ends : '')
}

function stepList(rollout) {
  const over = ['promoting', 'baking', 'succeeded'].includes(rollout.phase)
  const steps = rollout.steps.map((step, index) => {
    const state = over || index < rollout.step ? ' done' : index === rollout.step ? ' now' : ''
    return el('span', { class: 'step' + state }, stepWords(step))
  })
  const bake = el('span', { class: 'step' + (rollout.phase === 'baking' ? ' now' : '') }, 'bake ' + rollout.bake)
  return el('div', { class: 'steps' }, steps, bake)
}

function verdictRow(verdict) {
  return el('div', { class: 'verdict' },
    el('span', {}, chip((verdict.name || verdict.kind) + ': ' + verdict.verdict, VERDICTS[verdict.verdict]), ' '),
    el('span', { class: 'small' }, verdict.cluster + ': ' + verdict.explanation))
}

function historyList(rollout) {
  const details = el('details', { open: openDetails.has(rollout.id), ontoggle: (event) => {
    if (event.target.open) openDetails.add(rollout.id)
    else openDetails.delete(rollout.id)
  } }, el('summary', {}, 'History (' + rollout.history.length + ')'))
  const items = [...rollout.history].reverse().map((move) => el('li', {},
    el('span', { class: 'soft' }, time(move.at)),
    el('span', {}, move.from === move.to ? move.to : move.from + ' → ' + move.to),
    el('span', {}, move.message + ' (' + move.actor.name + ')')))
  details.append(el('ul', { class: 'history' }, items))
  return details
}

// The same node through all refreshes: so it stays open, and the picture does not flicker.
const evidenceNodes = new Map()

function evidenceDetails(rollout) {
  const known = evidenceNodes.get(rollout.id) || newEvidence(rollout.id)
  evidenceNodes.set(rollout.id, known)
  known.wanted = rollout.updatedAt
  if (known.node.open) showEvidence(known)
  return known.node
}

function newEvidence(id) {
  const picture = el('img', { class: 'picture', alt: 'Weights, bad shares, evidence and decisions of ' + id })
  const save = el('a', { download: 'evidence-' + id + '.svg' }, 'Save as SVG')
  const problem = el('span', { class: 'small warn' })
  const known = { id, picture, save, problem, shown: undefined, atMs: 0 }
  known.node = el('details', { ontoggle: () => { if (known.node.open) showEvidence(known) } },
    el('summary', {}, 'Evidence'), problem, picture, el('div', { class: 'small' }, save))
  return known
}

async function showEvidence(known) {
  if (known.shown === known.wanted || Date.now() - known.atMs < EVIDENCE_MS) return
  known.atMs = Date.now()
  const wanted = known.wanted
  const answer = await fetch('/api/v1/rollouts/' + known.id + '/evidence?format=svg',
    { headers: { authorization: 'Bearer ' + token() }, cache: 'no-store' }).catch((error) => ({ ok: false, status: error.message }))
  known.problem.textContent = answer.ok ? '' : 'The picture could not be loaded: ' + answer.status
  if (!answer.ok) return
  known.shown = wanted
  known.picture.src = known.save.href = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(await answer.text())
}

function changesLine({ changes }) {
  if (changes.length === 0) return undefined
  const words = changes.slice(0, 6).map(({ field, from, to }) => field + ' ' + (from || 'none') + ' → ' + (to || 'none'))
  const more = changes.length > 6 ? ', and ' + (changes.length - 6) + ' more' : ''
  return el('div', { class: 'soft small' }, 'Changed: ' + words.join(', ') + more)
}

function rolloutCard(rollout) {
  return el('section', { class: 'card' },
    el('div', { class: 'row' }, el('span', { class: 'title' }, rollout.service), chip(rollout.phase, TONES[rollout.phase]),
      el('span', { class: 'soft small' }, rollout.strategy + ', since ' + time(rollout.startedAt) + ', ' + rollout.id)),
    el('div', {}, rollout.message),
    changesLine(rollout),
    stepList(rollout),
    rollout.targets.map(targetRow),
    rollout.verdicts.map(verdictRow),
    rollout.warnings.map((warning) => el('div', { class: 'small warn' }, warning)),
    historyList(rollout),
    evidenceDetails(rollout))
}

function serviceRow(service) {
  const stable = Object.entries(service.stable).map(([cluster, version]) => cluster + ': ' + version).join(', ')
  const done = service.observedGeneration === service.generation
  return el('tr', {},
    el('td', {}, service.namespace + '/' + service.name), el('td', {}, service.team),
    el('td', {}, stable || 'on no cluster'),
    el('td', {}, chip(service.observedGeneration + ' of ' + service.generation, done ? 'good' : 'warn')),
    el('td', {}, el('div', { class: 'row' }, conditionChips(service.conditions))))
}

function clusterRow(cluster) {
  const { provider, version, revision, kubernetesVersion } = cluster.detected
  const mesh = provider ? [provider, version, revision].filter(Boolean).join(' ') : 'unknown'
  return el('tr', {},
    el('td', {}, cluster.name), el('td', {}, cluster.mode), el('td', {}, mesh), el('td', {}, kubernetesVersion || ''),
    el('td', {}, el('div', { class: 'row' }, conditionChips(cluster.conditions))))
}

function endedRow(rollout) {
  return el('tr', {},
    el('td', {}, rollout.service), el('td', {}, rollout.candidate), el('td', {}, chip(rollout.phase, TONES[rollout.phase])),
    el('td', {}, rollout.message, changesLine(rollout), evidenceDetails(rollout)), el('td', { class: 'soft' }, rollout.endedAt ? time(rollout.endedAt) : ''))
}

function fill(id, items, row, none) {
  const empty = byId(id).tagName === 'TBODY' ? el('tr', {}, el('td', { class: 'soft', colspan: 9 }, none)) : el('p', { class: 'card soft' }, none)
  byId(id).replaceChildren(...(items.length > 0 ? items.map(row) : [empty]))
}

async function refresh() {
  clearTimeout(timer)
  byId('hint').hidden = token() !== ''
  if (token() === '') {
    byId('content').hidden = true
    byId('state').textContent = ''
    return
  }
  try {
    const slow = round % SLOW_EVERY === 0
    const [live, clusters, services, all] = await Promise.all([
      load('/rollouts?active=true&limit=100'), load('/clusters?limit=200'), load('/services?limit=200'),
      slow ? load('/rollouts?limit=50') : undefined,
    ])
    round += 1
    fill('live', live.value, rolloutCard, 'No rollout is live.')
    fill('services', services.value, serviceRow, 'No service is registered.')
    fill('clusters', clusters.value, clusterRow, 'No cluster is registered.')
    if (all) fill('ended', all.value.filter((rollout) => rollout.endedAt).slice(0, 20), endedRow, 'None has ended yet.')
    byId('content').hidden = false
    byId('state').textContent = 'as of ' + new Date().toLocaleTimeString()
  } catch (error) {
    byId('state').textContent = error.message
    if (error instanceof Refused) return
  }
  if (!document.hidden) timer = setTimeout(refresh, FAST_MS)
}

onToken(() => { round = 0; refresh() })
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh() })
refresh()
`
