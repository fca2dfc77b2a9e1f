// The Container Apps: `seatkey serve` behind the platform's TLS, `seatkey work` without any address. The management port
// (health, metrics) is asked by the platform's probes alone; no ingress leads to it.
param location string
param token string
param tags object
param image string
param publicHost string
param marketplaceApplicationId string
param signInApplicationId string
param staffApplicationId string
param subnetId string
param logsId string
param identityId string
param identityClientId string
param vaultName string
param databaseHost string
param databaseUser string
param mailUser string
param mailFrom string
@secure()
param mailPassword string
param highAvailability bool

var withStaff = !empty(staffApplicationId)
var serveName = 'seatkey-serve'
var host = empty(publicHost) ? '${serveName}.${platform.properties.defaultDomain}' : publicHost
var vaultAddress = 'https://${vaultName}${environment().suffixes.keyvaultDns}'

resource platform 'Microsoft.App/managedEnvironments@2025-07-01' = {
  name: 'cae-seatkey-${token}'
  location: location
  tags: tags
  properties: {
    appLogsConfiguration: { destination: 'azure-monitor' }
    vnetConfiguration: { infrastructureSubnetId: subnetId, internal: false }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    zoneRedundant: highAvailability
  }
}

resource platformLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: platform
  properties: {
    workspaceId: logsId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

var secrets = [
  { name: 'mail-url', value: 'smtp://${mailUser}:${uriComponent(mailPassword)}@smtp.azurecomm.net:587' }
  // Not secret; this is how a Container App gets a file. Name your own catalog here.
  { name: 'catalog', value: loadTextContent('../../catalog.example.toml') }
]

var files = [{ secretRef: 'catalog', path: 'catalog.toml' }]

var buyerSettings = [
  { name: 'SEATKEY__SERVER__BIND', value: '0.0.0.0:8080' }
  { name: 'SEATKEY__SERVER__MANAGEMENT_BIND', value: '0.0.0.0:8081' }
  // As long as the readiness probe may take to notice that a replica stops: twice five seconds.
  { name: 'SEATKEY__SERVER__DRAIN_SECONDS', value: '10' }
  { name: 'SEATKEY__SERVER__PUBLIC_URL', value: 'https://${host}/' }
  // The identity's name is the user, and its token the password.
  { name: 'SEATKEY__DATABASE__URL', value: 'postgres://${databaseUser}@${databaseHost}:5432/seatkey?sslmode=verify-full' }
  { name: 'SEATKEY__DATABASE__PASSWORD_FROM', value: 'entra' }
  { name: 'SEATKEY__CATALOG__PATH', value: '/etc/seatkey/catalog.toml' }
  { name: 'SEATKEY__MARKETPLACE__APPLICATION_ID', value: marketplaceApplicationId }
  { name: 'SEATKEY__MARKETPLACE__TENANT_ID', value: subscription().tenantId }
  { name: 'SEATKEY__ENTRA__CREDENTIAL__KIND', value: 'federated_managed_identity' }
  { name: 'SEATKEY__ENTRA__CREDENTIAL__IDENTITY_CLIENT_ID', value: identityClientId }
  { name: 'SEATKEY__SIGN_IN__CLIENT_ID', value: signInApplicationId }
  { name: 'SEATKEY__MAIL__URL', secretRef: 'mail-url' }
  { name: 'SEATKEY__MAIL__FROM', value: mailFrom }
  // The key never leaves the vault; all its versions are published, the newest one signs.
  { name: 'SEATKEY__SIGNING__KEYS', value: '${vaultAddress}/keys/license-signing' }
  { name: 'AZURE_CLIENT_ID', value: identityClientId }
]
var staffSettings = [
  { name: 'SEATKEY__STAFF__TENANT_ID', value: subscription().tenantId }
  { name: 'SEATKEY__STAFF__CLIENT_ID', value: staffApplicationId }
]
var settings = concat(buyerSettings, withStaff ? staffSettings : [])

resource serve 'Microsoft.App/containerApps@2025-07-01' = {
  name: serveName
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    environmentId: platform.id
    workloadProfileName: 'Consumption'
    configuration: {
      // A new revision gets the traffic when it is ready; then the old one goes.
      activeRevisionsMode: 'Single'
      maxInactiveRevisions: 5
      ingress: {
        external: true
        targetPort: 8080
        transport: 'http'
        allowInsecure: false
        traffic: [{ latestRevision: true, weight: 100 }]
        customDomains: empty(publicHost) ? [] : [{ name: publicHost, bindingType: 'Auto' }]
      }
      secrets: secrets
    }
    template: {
      // 10 seconds until nobody sends anything more, then at most 18 for what is running.
      terminationGracePeriodSeconds: 45
      containers: [
        {
          name: 'seatkey'
          image: image
          args: ['serve', '--no-workers']
          env: settings
          resources: { cpu: json('0.5'), memory: '1Gi' }
          volumeMounts: [{ volumeName: 'files', mountPath: '/etc/seatkey' }]
          probes: [
            // It listens when the schema is up to date; a large database gets five minutes for that.
            { type: 'Startup', httpGet: { path: '/healthz', port: 8081, scheme: 'HTTP' }, initialDelaySeconds: 1, periodSeconds: 30, failureThreshold: 10 }
            { type: 'Liveness', httpGet: { path: '/healthz', port: 8081, scheme: 'HTTP' }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }
            { type: 'Readiness', httpGet: { path: '/readyz', port: 8081, scheme: 'HTTP' }, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 }
          ]
        }
      ]
      volumes: [{ name: 'files', storageType: 'Secret', secrets: files }]
      scale: {
        minReplicas: highAvailability ? 3 : 2
        // Each replica has up to 8 connections to the database.
        maxReplicas: 8
        rules: [{ name: 'requests', http: { metadata: { concurrentRequests: '50' } } }]
      }
    }
  }
}

resource work 'Microsoft.App/containerApps@2025-07-01' = {
  name: 'seatkey-work'
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    environmentId: platform.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      maxInactiveRevisions: 5
      secrets: secrets
    }
    template: {
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'seatkey'
          image: image
          args: ['work']
          env: settings
          resources: { cpu: json('0.5'), memory: '1Gi' }
          volumeMounts: [{ volumeName: 'files', mountPath: '/etc/seatkey' }]
          probes: [
            { type: 'Startup', httpGet: { path: '/healthz', port: 8081, scheme: 'HTTP' }, initialDelaySeconds: 1, periodSeconds: 30, failureThreshold: 10 }
            { type: 'Liveness', httpGet: { path: '/healthz', port: 8081, scheme: 'HTTP' }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }
          ]
        }
      ]
      volumes: [{ name: 'files', storageType: 'Secret', secrets: files }]
      // Never none: nobody would notice that a job is due.
      scale: { minReplicas: highAvailability ? 2 : 1, maxReplicas: highAvailability ? 2 : 1 }
    }
  }
}

// A name of your own: the app gets it first, then its certificate, which is bound and renewed by itself.
resource certificate 'Microsoft.App/managedEnvironments/managedCertificates@2025-07-01' = if (!empty(publicHost)) {
  parent: platform
  name: 'public-host'
  location: location
  tags: tags
  properties: { subjectName: publicHost, domainControlValidation: 'CNAME' }
  dependsOn: [serve]
}

output publicUrl string = 'https://${host}/'
output defaultHost string = '${serveName}.${platform.properties.defaultDomain}'
output domainVerificationId string = serve.properties.customDomainVerificationId
