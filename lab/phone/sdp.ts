/** An ordinary audio offer, so that INVITEs have the size they have in life. No media flows in the lab. */
export const SDP = [
  'v=0',
  'o=- 3890000000 3890000000 IN IP4 192.0.2.1',
  's=-',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  'm=audio 40000 RTP/AVP 8 0 101',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=ptime:20',
  'a=sendrecv',
  '',
].join('\r\n')
