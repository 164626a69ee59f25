param location string
param tags object
param token string
param insightsId string
param alertEmail string

@description('Each looks every five minutes. Queries run over the tables of Application Insights.')
var rules = [
  {
    name: 'given-up-messages'
    text: 'A queue message was given up after five tries: what it asked for waits for the next sweep.'
    severity: 2
    threshold: 0
    query: 'traces | where message has "MaxDequeueCount"'
  }
  {
    name: 'server-errors'
    text: 'More than five answers of the API within five minutes were 5xx.'
    severity: 2
    threshold: 5
    // A call is seen by the host and by the app: one operation.
    query: 'requests | where toint(resultCode) >= 500 | distinct operation_Id'
  }
  {
    name: 'no-start'
    text: 'An app cannot start: its settings are wrong. The log names the variable.'
    severity: 1
    threshold: 0
    query: 'traces | where message has "The app cannot start"'
  }
  {
    name: 'needs-a-person'
    text: 'Meshwright logged something at level error: a person must act. docs/operations.md has the events.'
    severity: 1
    threshold: 0
    // The second way is for lines that came by standard error only.
    query: 'traces | where (severityLevel >= 3 and isnotempty(customDimensions.event)) or (message startswith "{" and tostring(parse_json(message).level) == "error")'
  }
]

resource recipients 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmail)) {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'meshwright'
    emailReceivers: [{ name: 'people', emailAddress: alertEmail, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'meshwright-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Meshwright: ${rule.name}'
      description: rule.text
      enabled: true
      severity: rule.severity
      scopes: [insightsId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT5M'
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: empty(alertEmail) ? [] : [recipients.id] }
    }
  }
]
