// The identity, the logs, and the vault with the key that signs licenses.
param location string
param token string
param tags object

// The built-in role "Key Vault Crypto User".
var signWithKeys = '12338af0-0e69-4776-bea7-57ae8d297424'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-seatkey-${token}'
  location: location
  tags: tags
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-seatkey-${token}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 90
    features: { enableLogAccessUsingOnlyResourcePermissions: true }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  // checkov:skip=CKV_AZURE_109:whoever runs `prepare` writes secrets from anywhere; RBAC decides, and every access is logged
  // checkov:skip=CKV_AZURE_189:the same; a private endpoint is the next step where there is a way into the network
  name: 'kv-seatkey-${token}'
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    // So that main.bicep may hand secrets to its modules.
    enabledForTemplateDeployment: true
    publicNetworkAccess: 'Enabled'
    networkAcls: { defaultAction: 'Allow', bypass: 'AzureServices' }
  }
}

// ES256. It is made once and never leaves the vault; a deployment of the same name does not touch it. It has no end: licenses
// in the field are verified with its public half. A new version of it is made on purpose (deploy/README.md).
resource signingKey 'Microsoft.KeyVault/vaults/keys@2023-07-01' = {
  // checkov:skip=CKV_AZURE_112:the standard tier; for a key in an HSM take the premium tier and kty EC-HSM
  // checkov:skip=CKV_AZURE_40:an end would stop the signing of licenses on that day; keys are replaced on purpose
  parent: vault
  name: 'license-signing'
  properties: {
    kty: 'EC'
    curveName: 'P-256'
    keyOps: ['sign', 'verify']
  }
}

// With this one key alone.
resource maySign 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(signingKey.id, identity.id, signWithKeys)
  scope: signingKey
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', signWithKeys)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Who read which secret and who signed, and when.
resource vaultLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: vault
  properties: {
    workspaceId: logs.id
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output identityId string = identity.id
output identityName string = identity.name
output identityClientId string = identity.properties.clientId
output identityPrincipalId string = identity.properties.principalId
output logsId string = logs.id
output vaultName string = vault.name
output vaultId string = vault.id
