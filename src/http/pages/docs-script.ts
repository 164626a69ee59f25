/** Script of the reference page. Runs in the reader's browser. */
export const DOCS_SCRIPT = String.raw`
let api

const resolve = (node) => {
  if (!node || !node.$ref) return node || {}
  return node.$ref.slice(2).split('/').reduce((value, part) => value[part], api)
}

function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split('/').pop()
  const any = schema.anyOf || schema.oneOf
  if (any) return any.map(typeOf).join(' or ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.type === 'array') return 'list of ' + typeOf(schema.items || {})
  return (schema.format ? schema.format + ' ' : '') + (schema.type || 'any')
}

function limitsOf(schema) {
  const words = []
  if (schema.minimum !== undefined && schema.minimum > -9e15) words.push('≥ ' + schema.minimum)
  if (schema.maximum !== undefined && schema.maximum < 9e15) words.push('≤ ' + schema.maximum)
  if (schema.default !== undefined) words.push('default ' + JSON.stringify(schema.default))
  if (schema.examples) words.push('such as ' + schema.examples.map((value) => JSON.stringify(value)).join(', '))
  return words.join(', ')
}

function fieldOf(name, schema, required, depth) {
  const words = [schema.description || resolve(schema).description, limitsOf(schema)].filter(Boolean).join('; ')
  return el('li', {},
    el('span', { class: 'name mono' }, name), required ? ' ' : el('span', { class: 'soft' }, '? '),
    el('code', {}, typeOf(schema)), words ? el('span', { class: 'soft' }, ' ' + words) : '',
    treeOf(schema, depth + 1))
}

function treeOf(schema, depth) {
  const whole = resolve(schema)
  if (depth > 5) return ''
  if (whole.properties) {
    const required = whole.required || []
    return el('ul', { class: 'tree' }, Object.entries(whole.properties).map(([name, inner]) =>
      fieldOf(name, inner, required.includes(name), depth)))
  }
  if (whole.type === 'array') return treeOf(whole.items || {}, depth)
  const values = whole.additionalProperties
  if (values && typeof values === 'object' && (values.properties || values.$ref)) {
    return el('ul', { class: 'tree' }, fieldOf('{name}', values, true, depth))
  }
  const any = (whole.anyOf || whole.oneOf || []).filter((inner) => resolve(inner).properties)
  return any.length > 0 ? any.map((inner) => treeOf(inner, depth)) : ''
}

function schemaBlock(title, content) {
  const [[type, media] = []] = Object.entries(content || {})
  if (!media || !media.schema) return ''
  const tree = treeOf(media.schema, 0)
  return el('details', { open: title === 'Body' }, el('summary', {}, title + ': ', el('code', {}, typeOf(media.schema)),
    el('span', { class: 'soft small' }, ' ' + type)), tree || '')
}

function parameterTable(parameters) {
  if (parameters.length === 0) return ''
  return [el('h3', {}, 'Parameters'), el('table', {}, el('tbody', {}, parameters.map((parameter) => el('tr', {},
    el('td', { class: 'mono' }, parameter.name + (parameter.required ? '' : '?')), el('td', { class: 'soft' }, parameter.in),
    el('td', {}, el('code', {}, typeOf(parameter.schema))),
    el('td', { class: 'small' }, [parameter.description || parameter.schema.description, limitsOf(parameter.schema)].filter(Boolean).join('; '))))))]
}

function responseTable(responses) {
  return [el('h3', {}, 'Answers'), el('table', {}, el('tbody', {}, Object.entries(responses).map(([status, reference]) => {
    const response = resolve(reference)
    const tone = status < 300 ? 'good' : status < 400 ? '' : 'bad'
    const shown = status < 300 ? schemaBlock('Schema', response.content) : ''
    return el('tr', {}, el('td', {}, chip(status, tone)), el('td', { class: 'small' }, response.description, shown))
  })))]
}

function tryForm(method, path, operation) {
  const inputs = (operation.parameters || []).map((parameter) => [parameter, el('input', { name: parameter.name, spellcheck: 'false' })])
  const media = operation.requestBody && Object.values(operation.requestBody.content)[0]
  const body = media && el('textarea', { spellcheck: 'false', 'aria-label': 'Body' })
  if (body) body.value = media.example === undefined ? '' : JSON.stringify(media.example, null, 2)
  const result = el('pre', { hidden: true })
  const send = async (event) => {
    event.preventDefault()
    result.hidden = false
    result.textContent = '…'
    result.textContent = await run(method, path, inputs, operation.requestBody, body)
  }
  return el('details', {}, el('summary', {}, 'Try it'), el('form', { class: 'try', onsubmit: send },
    inputs.map(([parameter, input]) => el('label', {}, el('span', { class: 'mono' }, parameter.name), input)),
    body || '', el('p', {}, el('button', {}, 'Send')), result))
}

async function run(method, path, inputs, requestBody, body) {
  const given = inputs.filter(([, input]) => input.value !== '')
  const query = new URLSearchParams(given.filter(([parameter]) => parameter.in === 'query').map(([parameter, input]) => [parameter.name, input.value]))
  const headers = Object.fromEntries(given.filter(([parameter]) => parameter.in === 'header').map(([parameter, input]) => [parameter.name, input.value]))
  const filled = given.filter(([parameter]) => parameter.in === 'path')
    .reduce((text, [parameter, input]) => text.replace('{' + parameter.name + '}', encodeURIComponent(input.value)), path)
  if (filled.includes('{')) return 'Fill in ' + filled.match(/\{(\w+)\}/)[1] + ' first.'
  if (token()) headers.authorization = 'Bearer ' + token()
  const sends = body && body.value.trim() !== ''
  if (sends) headers['content-type'] = Object.keys(requestBody.content)[0]
  try {
    const answer = await fetch(filled + (query.size ? '?' + query : ''), { method, headers, body: sends ? body.value : undefined, cache: 'no-store' })
    const text = await answer.text()
    const shown = [...answer.headers].filter(([name]) => /^(etag|location|operation-location|retry-after|x-request-id|content-type)$/.test(name))
    return [answer.status + ' ' + answer.statusText, ...shown.map((header) => header.join(': ')), '', pretty(text)].join('\n')
  } catch (error) {
    return String(error)
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

/** Filled in when it is opened first: there are many. */
function operationCard(method, path, operation) {
  const card = el('details', { class: 'card operation', id: operation.operationId },
    el('summary', {}, el('span', { class: 'method ' + method }, method), el('span', { class: 'mono' }, path),
      el('span', { class: 'soft' }, operation.summary)))
  card.addEventListener('toggle', () => {
    if (card.children.length > 1) return
    card.append(el('div', {}, el('p', {}, operation.description),
      parameterTable(operation.parameters || []),
      operation.requestBody ? [el('h3', {}, 'Body'), schemaBlock('Body', operation.requestBody.content)] : '',
      responseTable(operation.responses), tryForm(method, path, operation)))
  })
  return card
}

function openTarget() {
  const target = byId(decodeURIComponent(location.hash.slice(1)))
  if (!target) return
  if (target.tagName === 'DETAILS') target.open = true
  target.scrollIntoView()
}

async function show() {
  api = await (await fetch('/openapi.json')).json()
  byId('about').textContent = api.info.description
  const all = Object.entries(api.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [method.toUpperCase(), path, operation]))
  for (const { name } of api.tags) {
    const own = all.filter(([, , operation]) => operation.tags.includes(name))
    byId('nav').append(el('b', {}, name), ...own.map(([, , operation]) =>
      el('a', { href: '#' + operation.operationId, title: operation.summary }, operation.operationId)))
    byId('operations').append(el('h2', {}, name), ...own.map((one) => operationCard(...one)))
  }
  byId('problems').replaceChildren(...Object.entries(api.components.schemas.Problem['x-codes']).map(([code, failure]) => el('tr', {},
    el('td', { class: 'mono', id: 'problem-' + code }, code), el('td', {}, String(failure.status)), el('td', {}, failure.title), el('td', {}, failure.hint))))
  openTarget()
}

onToken(() => {})
addEventListener('hashchange', openTarget)
show().catch((error) => { byId('about').textContent = String(error) })
`
