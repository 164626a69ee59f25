param location string
param tags object
param environmentName string
param insightsId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'meshwright-workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Meshwright ${environmentName}'
    category: 'workbook'
    sourceId: insightsId
    serializedData: loadTextContent('../workbook.json')
    version: 'Notebook/1.0'
  }
}
