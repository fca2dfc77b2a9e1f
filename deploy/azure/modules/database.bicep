// PostgreSQL, reached from the apps' subnet alone, with tokens of Entra alone: there is no password that somebody could learn. It can be restored to any moment of the last 35 days.
param location string
param token string
param tags object
param subnetId string
param zoneId string
param logsId string
param identityName string
param identityPrincipalId string
param highAvailability bool

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: 'psql-seatkey-${token}'
  location: location
  tags: tags
  sku: highAvailability ? { name: 'Standard_D2ds_v5', tier: 'GeneralPurpose' } : { name: 'Standard_B2s', tier: 'Burstable' }
  properties: {
    version: '17'
    createMode: 'Default'
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: subscription().tenantId
    }
    storage: { storageSizeGB: 32, autoGrow: 'Enabled' }
    backup: { backupRetentionDays: 35, geoRedundantBackup: 'Disabled' }
    highAvailability: { mode: highAvailability ? 'ZoneRedundant' : 'Disabled' }
    network: {
      delegatedSubnetResourceId: subnetId
      privateDnsZoneArmResourceId: zoneId
      publicNetworkAccess: 'Disabled'
    }
  }
}

resource schema 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01' = {
  parent: server
  name: 'seatkey'
  properties: { charset: 'UTF8', collation: 'en_US.utf8' }
}

// The server takes one change at a time.
resource onlyTls 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2024-08-01' = {
  parent: server
  name: 'require_secure_transport'
  properties: { value: 'ON', source: 'user-override' }
  dependsOn: [schema]
}

// The service's identity is the administrator: its name is the user, and a token its password.
resource identityMaySignIn 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2024-08-01' = {
  parent: server
  name: identityPrincipalId
  properties: {
    principalName: identityName
    principalType: 'ServicePrincipal'
    tenantId: subscription().tenantId
  }
  dependsOn: [onlyTls]
}

// Nobody deletes it by accident.
resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'the-ledger-is-in-here'
  scope: server
  properties: { level: 'CanNotDelete', notes: 'Take the lock away on purpose, after a last backup.' }
}

resource serverLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: server
  properties: {
    workspaceId: logsId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output host string = server.properties.fullyQualifiedDomainName
// Known only when the identity may sign in.
output user string = identityMaySignIn.properties.principalName
