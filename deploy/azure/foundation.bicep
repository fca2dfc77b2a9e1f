// What has to be there before secrets can be kept: `prepare` deploys this by itself. main.bicep has the same module in it.
targetScope = 'subscription'

param environmentName string
param location string

var token = substring(uniqueString(subscription().id, environmentName, location), 0, 8)
var tags = { 'azd-env-name': environmentName, application: 'seatkey' }

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module foundation 'modules/foundation.bicep' = {
  name: 'foundation'
  scope: group
  params: { location: location, token: token, tags: tags }
}

output vaultName string = foundation.outputs.vaultName
output vaultId string = foundation.outputs.vaultId
output identityPrincipalId string = foundation.outputs.identityPrincipalId
