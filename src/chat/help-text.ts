/** What `help` answers: plain text. */
export function helpText(): string {
  return [
    'status NAME: how a service, rollout or certificate stands',
    'promote NAME: give all traffic to the candidate now',
    'pause NAME, resume NAME: hold a rollout, or go on',
    'approve NAME, reject NAME: let a rollout pass that awaits approval, or roll it back',
    'approve NAME wave 1 step 2: the same, unless it waits at another step by then',
    'abort NAME, rollback NAME: take all traffic from the candidate now',
    'break-glass NAME WORDS: freezes and change windows do not hold it back',
    'rotate CERTIFICATE: make a new version and bring it to the clusters',
    'NAME is a service (shop/web, or web when there is one), or the id of a rollout. Words after it are kept as a note.',
  ].join('\n')
}
