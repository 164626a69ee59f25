/** Script of the dashboard, but for the cards of rollouts. Runs in the reader's browser. */
export const DASHBOARD_SCRIPT = `
const FAST_MS = 2000
const SLOW_EVERY = 5
const ABNORMAL = ['Conflict', 'Drifted', 'Held', 'Frozen']
let round = 0
let timer

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
