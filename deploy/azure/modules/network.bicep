// One network: the apps in one subnet, the database in the other, which nobody else reaches.
param location string
param token string
param tags object

var appsRange = '10.20.0.0/23'
var databaseRange = '10.20.2.0/28'

resource appsGuard 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-seatkey-apps-${token}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'buyers'
        properties: {
          // checkov:skip=CKV_AZURE_160:HTTP leads to HTTPS and nowhere else (allowInsecure is false)
          description: 'Buyers and Microsoft; the last two are the ports of the platform\'s own proxy.'
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: appsRange
          destinationPortRanges: ['80', '443', '31080', '31443']
        }
      }
    ]
  }
}

resource databaseGuard 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-seatkey-database-${token}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'apps'
        properties: {
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: appsRange
          sourcePortRange: '*'
          destinationAddressPrefix: databaseRange
          destinationPortRange: '5432'
        }
      }
      {
        name: 'standby'
        properties: {
          description: 'A server and its standby talk to each other.'
          priority: 110
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: databaseRange
          sourcePortRange: '*'
          destinationAddressPrefix: databaseRange
          destinationPortRange: '5432'
        }
      }
      {
        name: 'nobody-else'
        properties: {
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-seatkey-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.20.0.0/22'] }
    subnets: [
      {
        name: 'apps'
        properties: {
          addressPrefix: appsRange
          networkSecurityGroup: { id: appsGuard.id }
          delegations: [{ name: 'apps', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'database'
        properties: {
          addressPrefix: databaseRange
          networkSecurityGroup: { id: databaseGuard.id }
          delegations: [{ name: 'database', properties: { serviceName: 'Microsoft.DBforPostgreSQL/flexibleServers' } }]
        }
      }
    ]
  }
}

resource databaseZone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: 'seatkey-${token}.private.postgres.database.azure.com'
  location: 'global'
  tags: tags
}

resource databaseZoneLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: databaseZone
  name: 'network'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: network.id }
  }
}

output appsSubnetId string = '${network.id}/subnets/apps'
output databaseSubnetId string = '${network.id}/subnets/database'
// Behind the link: a server is made only when its name can be found.
output databaseZoneId string = split(databaseZoneLink.id, '/virtualNetworkLinks/')[0]
