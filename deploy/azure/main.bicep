// Seatkey on Azure: Container Apps (pages and jobs apart), PostgreSQL, Key Vault, Communication Services, Log Analytics.
// Run `prepare` first: it makes the app registrations and the secrets that this template only refers to. Both can be run
// again at any time; what is there stays. The path from an empty subscription is in deploy/README.md.
targetScope = 'subscription'

@description('A short name for this installation; resource names follow from it.')
@minLength(3)
@maxLength(16)
param environmentName string

@description('Where everything is.')
param location string

@description('The container image, with its digest where a deployment has to be repeatable: ghcr.io/…/seatkey@sha256:….')
param image string

@description('The name that buyers reach the service by. Empty: the name that Container Apps gives.')
param publicHost string = ''

@description('The application of Partner Center\'s technical configuration; it trusts this installation\'s identity.')
param marketplaceApplicationId string

@description('The multi-tenant application that buyers sign in with.')
param signInApplicationId string

@description('The application that the publisher\'s own people sign in to the console with. Empty: no console.')
param staffApplicationId string = ''

@description('The application whose secret is the password for mail.')
param mailApplicationId string

@description('The object id of its service principal.')
param mailPrincipalId string

@description('Your own domain for mail. Empty: a domain of Azure\'s, which may send only a few mails an hour.')
param mailDomain string = ''

@description('Database with a standby in another zone, and three replicas instead of two. To be chosen once: zones cannot be added to a Container Apps environment later.')
param highAvailability bool = false

var names = {
  group: 'rg-${environmentName}'
  token: substring(uniqueString(subscription().id, environmentName, location), 0, 8)
}
var tags = { 'azd-env-name': environmentName, application: 'seatkey' }

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: names.group
  location: location
  tags: tags
}

module foundation 'modules/foundation.bicep' = {
  name: 'foundation'
  scope: group
  params: { location: location, token: names.token, tags: tags }
}

// The vault that `prepare` filled, by its name: the values of its secrets go into modules without being seen here.
resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: 'kv-seatkey-${names.token}'
  scope: group
}

module network 'modules/network.bicep' = {
  name: 'network'
  scope: group
  params: { location: location, token: names.token, tags: tags }
}

module database 'modules/database.bicep' = {
  name: 'database'
  scope: group
  params: {
    location: location
    token: names.token
    tags: tags
    subnetId: network.outputs.databaseSubnetId
    zoneId: network.outputs.databaseZoneId
    logsId: foundation.outputs.logsId
    identityName: foundation.outputs.identityName
    identityPrincipalId: foundation.outputs.identityPrincipalId
    highAvailability: highAvailability
  }
}

module mail 'modules/mail.bicep' = {
  name: 'mail'
  scope: group
  params: {
    token: names.token
    tags: tags
    domain: mailDomain
    applicationId: mailApplicationId
    principalId: mailPrincipalId
    logsId: foundation.outputs.logsId
  }
}

module apps 'modules/apps.bicep' = {
  name: 'apps'
  scope: group
  params: {
    location: location
    token: names.token
    tags: tags
    image: image
    publicHost: publicHost
    marketplaceApplicationId: marketplaceApplicationId
    signInApplicationId: signInApplicationId
    staffApplicationId: staffApplicationId
    subnetId: network.outputs.appsSubnetId
    logsId: foundation.outputs.logsId
    identityId: foundation.outputs.identityId
    identityClientId: foundation.outputs.identityClientId
    vaultName: foundation.outputs.vaultName
    databaseHost: database.outputs.host
    databaseUser: database.outputs.user
    mailUser: mail.outputs.user
    mailFrom: mail.outputs.from
    mailPassword: vault.getSecret('mail-password')
    highAvailability: highAvailability
  }
}

@description('What Partner Center and the app registrations are given: <url>landing, <url>webhook, <url>sign-in/callback.')
output PUBLIC_URL string = apps.outputs.publicUrl
output RESOURCE_GROUP string = group.name
output VAULT string = foundation.outputs.vaultName
@description('For a name of your own: the value of the TXT record asuid.<name>, and the target of its CNAME.')
output DOMAIN_VERIFICATION_ID string = apps.outputs.domainVerificationId
output DEFAULT_HOST string = apps.outputs.defaultHost
