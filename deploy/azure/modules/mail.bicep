// Communication Services for mail, by SMTP. Its SMTP server takes the client secret of an application as the password, and
// nothing else; that application may send mail here, and do nothing anywhere else.
param token string
param tags object
param domain string
param applicationId string
param principalId string
param logsId string

var user = 'seatkey-${token}'
// Where mails and their logs rest.
var dataLocation = 'Europe'

resource email 'Microsoft.Communication/emailServices@2023-04-01' = {
  name: 'mail-seatkey-${token}'
  location: 'global'
  tags: tags
  properties: { dataLocation: dataLocation }
}

// Azure's own is there at once and stays linked, so that mails leave while a domain of your own is being verified.
resource azureDomain 'Microsoft.Communication/emailServices/domains@2023-04-01' = {
  parent: email
  name: 'AzureManagedDomain'
  location: 'global'
  tags: tags
  properties: { domainManagement: 'AzureManaged', userEngagementTracking: 'Disabled' }
}

resource ownDomain 'Microsoft.Communication/emailServices/domains@2023-04-01' = if (!empty(domain)) {
  parent: email
  name: empty(domain) ? 'none.example' : domain
  location: 'global'
  tags: tags
  properties: { domainManagement: 'CustomerManaged', userEngagementTracking: 'Disabled' }
}

// It can be linked when its records have been verified: deploy once more then.
var verified = empty(domain) ? false : ownDomain.properties.verificationStates.Domain.status == 'Verified'

resource communication 'Microsoft.Communication/communicationServices@2023-04-01' = {
  name: 'acs-seatkey-${token}'
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
    linkedDomains: verified ? [azureDomain.id, ownDomain.id] : [azureDomain.id]
  }
}

resource sender 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'seatkey mail')
  properties: {
    roleName: 'Seatkey mail (${token})'
    description: 'What SMTP asks of the application that sends.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.Communication/CommunicationServices/Read'
          'Microsoft.Communication/CommunicationServices/Write'
          'Microsoft.Communication/EmailServices/Write'
        ]
      }
    ]
  }
}

resource maySend 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(communication.id, principalId, sender.id)
  scope: communication
  properties: {
    roleDefinitionId: sender.id
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// The resource may not have the name that it stands for.
resource smtpUser 'Microsoft.Communication/communicationServices/smtpUsernames@2025-09-01' = {
  parent: communication
  name: '${user}-login'
  properties: {
    username: user
    entraApplicationId: applicationId
    tenantId: subscription().tenantId
  }
  dependsOn: [maySend]
}

resource mailLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: communication
  properties: {
    workspaceId: logsId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output user string = smtpUser.properties.username
output from string = 'DoNotReply@${verified ? domain : azureDomain.properties.fromSenderDomain}'
