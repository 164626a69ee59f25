/** Part of the dashboard's script: the card of one live rollout. */
export const ROLLOUT_SCRIPT = `
const EVIDENCE_MS = 5000
const TONES = {
  succeeded: 'good', baking: 'good', promoting: 'good', 'rolled-back': 'bad', 'rolling-back': 'bad', aborted: 'bad',
  failed: 'bad', paused: 'warn', blind: 'warn', 'awaiting-approval': 'warn', superseded: 'warn',
}
const VERDICTS = { safe: 'good', harm: 'bad', blind: 'warn' }
const OUT = { harm: ['harm seen', 'bad', 'It is back on stable; the others go on without it'], unreachable: ['not reached', 'warn', 'It keeps stable; the others go on without it'] }
const openDetails = new Set()

function targetRow(target) {
  const { stable, candidate, weight, match, mirror, observedWeight, out } = target
  const part = el('div', { class: 'part' })
  part.style.width = weight + '%'
  const share = mirror ? 'copies of ' + mirror + ' %' : [(weight || !match) && weight + ' %', match && 'what matches'].filter(Boolean).join(' and ')
  const bar = el('div', { class: 'bar', role: 'img', 'aria-label': share + ' to ' + candidate },
    part, el('div', { class: 'words' },
      el('span', {}, stable + (match ? ' the rest' : ' ' + (100 - weight) + ' %')),
      el('span', {}, candidate + ' ' + share)))
  const seen = observedWeight === null ? 'not seen yet' : 'seen: ' + observedWeight.toFixed(1) + ' %'
  return el('div', { class: 'target' }, el('span', {}, target.cluster), bar, el('span', { class: 'soft small' },
    out ? chip(...OUT[out]) : seen, target.rollbackReadiness === 'degraded' && chip('rollback degraded', 'warn')))
}

function approvalWords(approval) {
  return approval && (approval.quorum > 1 ? 'approval by ' + approval.quorum : 'approval')
}

function stepWords(step) {
  if (step.hold) return 'hold ' + step.hold
  if (step.webhook) return 'webhook ' + new URL(step.webhook.url).host
  const traffic = step.mirror ? 'copies of ' + step.mirror + ' %'
    : [step.weight && step.weight + ' %', step.match && 'what matches'].filter(Boolean).join(' and ')
  const ends = [approvalWords(step.approval), step.analysis && 'analysis'].filter(Boolean).join(' + ')
  if (!traffic) return ends
  return traffic + ' ' + step.for + (ends ? ' + ' + ends : '')
}

const pill = (words, state) => el('span', { class: 'step ' + state }, words)

/** Steps and bake of a wave: what is done, and where it is now. A paused rollout is where it paused. */
function stepPills(rollout, wave, index) {
  const phase = rollout.phase === 'paused' || rollout.phase === 'blind' ? rollout.resumeTo : rollout.phase
  const isLast = index === rollout.waves.length - 1
  const isBaking = index === rollout.wave && (phase === 'baking' || (!isLast && phase === 'promoting' && rollout.bakeUntil !== undefined))
  const isOver = index < rollout.wave || phase === 'promoting' || phase === 'baking'
  const bake = isLast ? rollout.bake : wave.bake
  const state = (step) => isOver || step < rollout.step ? 'done' : step === rollout.step && phase !== 'rolling-back' ? 'now' : ''
  return el('div', { class: 'steps' },
    wave.steps.map((step, at) => pill(stepWords(step), index > rollout.wave ? '' : state(at))),
    bake !== '0s' && pill('bake ' + bake, isBaking ? 'now' : index < rollout.wave ? 'done' : ''))
}

function waveBlock(rollout, wave, index) {
  const targets = rollout.targets.filter(({ cluster }) => wave.clusters.includes(cluster))
  const rows = [stepPills(rollout, wave, index), targets.map(targetRow)]
  if (rollout.waves.length === 1) return rows.flat()
  const tone = index < rollout.wave ? 'good' : index === rollout.wave ? 'accent' : ''
  const state = index < rollout.wave ? 'through' : index === rollout.wave ? 'now' : 'to come'
  const head = el('div', { class: 'row wave' }, el('span', {}, 'Wave ' + (index + 1) + ' of ' + rollout.waves.length), el('span', { class: 'soft' }, wave.name), chip(state, tone))
  return el('div', { class: 'block' + (index > rollout.wave ? ' later' : '') }, head, rows.flat())
}

function approvalsLine({ phase, steps, step, approvals, separateDuties, actor }) {
  const quorum = steps[step] && steps[step].approval && (steps[step].approval.quorum || 1)
  if (!quorum || (phase !== 'awaiting-approval' && approvals.length === 0)) return undefined
  const names = approvals.length === 0 ? '' : ' (' + approvals.map(({ name }) => name).join(', ') + ')'
  const barred = phase === 'awaiting-approval' && separateDuties ? '. ' + actor.name + ', who started it, may not approve' : ''
  return el('div', { class: 'small' }, approvals.length + ' of ' + quorum + ' approved' + names + barred + '.')
}

function glassLine({ breakGlass }) {
  return breakGlass && el('div', { class: 'small warn' }, breakGlass.actor.name + ' broke the glass: ' + breakGlass.reason)
}

function webhookLine({ webhook, message }) {
  if (!webhook || webhook.outcome === 'passed') return undefined
  const said = message.includes(webhook.detail) ? '' : 'Webhook: ' + webhook.detail + '. '
  const again = webhook.againAt ? ', the next at ' + time(webhook.againAt) : ''
  return el('div', { class: 'small' + (webhook.outcome === 'waiting' ? '' : ' warn') }, said + 'Calls of the webhook: ' + webhook.attempts + again + '.')
}

function brakeChips({ breakGlass, onHarm, affinity, windows }) {
  return [
    breakGlass && chip('glass broken', 'warn', breakGlass.actor.name + ': ' + breakGlass.reason),
    onHarm === 'freeze' && chip('harm freezes', '', 'Clusters with harm go back, the others stay as they are'),
    affinity && chip('sticky by cookie ' + affinity.cookie),
    windows && chip('change windows', '', windows.map((window) => window.cron + ' for ' + window.for + ', ' + window.timeZone).join('; ')),
  ]
}

const number = (value) => value >= 1e6 ? value.toExponential(1).replace('e+', 'e') : value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))

/** Evidence for harm on the way to its bar, by powers of ten. */
function meter(words, evidence, alpha) {
  const full = Math.log(1 / alpha)
  const part = el('span', { class: 'level' + (evidence * alpha >= 1 ? ' over' : '') })
  part.style.width = 100 * Math.min(1, Math.max(0, Math.log(Math.max(evidence, 1)) / full)) + '%'
  const told = words + ': ' + number(evidence) + ' of ' + number(1 / alpha)
  return el('span', { class: 'meter', title: 'Evidence for harm; harm is called at ' + number(1 / alpha) }, el('span', { class: 'track' }, part), ' ' + told)
}

function meters({ verdict, value, limit, comparison, eValue, alpha }) {
  if (verdict === 'blind' || value) return undefined
  if (!limit && !comparison) return meter('evidence', eValue, alpha)
  return [
    limit && meter('limit', limit.eValue, alpha),
    comparison && meter('against stable' + (comparison.ratio === undefined ? '' : ', ' + number(comparison.ratio) + '×'), comparison.eValue, alpha),
  ]
}

function verdictRow(verdict) {
  return el('div', { class: 'verdict' },
    el('span', {}, chip((verdict.name || verdict.kind) + ': ' + verdict.verdict, VERDICTS[verdict.verdict])),
    el('span', { class: 'small' }, (verdict.cluster === '*' ? 'all clusters' : verdict.cluster) + ': ' + verdict.explanation,
      el('span', { class: 'meters' }, meters(verdict))))
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
    el('div', { class: 'row' }, el('span', { class: 'title' }, rollout.service), chip(rollout.phase, TONES[rollout.phase]), brakeChips(rollout),
      el('span', { class: 'soft small' }, rollout.strategy + ', since ' + time(rollout.startedAt) + ', ' + rollout.id)),
    el('div', {}, rollout.message),
    glassLine(rollout),
    approvalsLine(rollout),
    webhookLine(rollout),
    changesLine(rollout),
    rollout.waves.map((wave, index) => waveBlock(rollout, wave, index)).flat(),
    rollout.verdicts.map(verdictRow),
    rollout.warnings.map((warning) => el('div', { class: 'small warn' }, warning)),
    historyList(rollout),
    evidenceDetails(rollout))
}
`
