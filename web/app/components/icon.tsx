// Our own line icons, drawn on a 24 grid. Always decoration: the control around one has the label.

const paths = {
  back: 'M15 5l-7 7 7 7',
  close: 'M6 6l12 12M18 6L6 18',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20',
  edit: 'M4 20l1-4L16 5l3 3L8 19l-4 1zM14 7l3 3',
  compose: 'M12 5H6a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-6M10 14l.7-3L18 3.700l2.300 2.300L13 13.300 10 14z',
  group: 'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20c.4-3.600 3-5.500 6.500-5.500s6.100 1.900 6.500 5.500M16 4.500a3.500 3.500 0 0 1 0 6.300M18 14.900c2 .7 3.200 2.500 3.500 5.100',
  settings: 'M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM12 3v2.500M12 18.500V21M3 12h2.500M18.500 12H21M5.600 5.600l1.800 1.800M16.600 16.600l1.800 1.800M18.400 5.600l-1.800 1.800M7.400 16.600l-1.800 1.800',
  send: 'M12 19V5M6 11l6-6 6 6',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.500 14.500c1 1.300 2.100 2 3.500 2s2.500-.7 3.500-2M9 9.800v.1M15 9.800v.1',
  reply: 'M10 6L4 12l6 6M4.500 12H14c3.500 0 6 2.200 6 6',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  trash: 'M5 7h14M10 7V4.500h4V7M7 7l.8 12.500h8.400L17 7M10.500 11v5M13.500 11v5',
  copy: 'M9 9h10v11H9zM15 9V4H5v11h4',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.500M12 7.600v.1',
  down: 'M12 5v14M6 13l6 6 6-6',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  checks: 'M2.500 12.500L7 17l9-9.500M12 16.300l.8.700 8.700-9.500',
  clock: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v4.500l3 1.500',
  alert: 'M12 4L3 20h18L12 4zM12 10.500v4M12 17.200v.1',
  leave: 'M14 4H6v16h8M11 12h10M17.500 8.500L21 12l-3.500 3.500',
  plus: 'M12 5v14M5 12h14',
  eye: 'M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 14.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600z',
  eye_off: 'M4 4l16 16M9.500 5.800A9.600 9.600 0 0 1 12 5.500c6 0 9.500 6.500 9.500 6.500a17 17 0 0 1-2.700 3.400M14.500 17.200a9 9 0 0 1-2.500.3C6 17.500 2.500 12 2.500 12a17 17 0 0 1 3.900-4.300',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  bolt: 'M13 3L5 14h6l-1 7 8-11h-6l1-7z',
  server: 'M4 5h16v6H4zM4 13h16v6H4zM8 8v.1M8 16v.1',
  chat: 'M6 5h12a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3h-6l-5 4v-4H6a3 3 0 0 1-3-3V8a3 3 0 0 1 3-3z',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width={name === 'more' ? 3 : 1.9}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}

/** The mark of the product. */
export function Mark({ size = 30 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="#4f46e5" />
      <path
        d="M9 8.500h14a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3h-7.200L11 25.400c-.7.5-1.600 0-1.600-.8v-3.100H9a3 3 0 0 1-3-3v-7a3 3 0 0 1 3-3Z"
        fill="#fff"
      />
      <circle cx="11.500" cy="15" r="1.700" fill="#4f46e5" />
      <circle cx="16" cy="15" r="1.700" fill="#4f46e5" />
      <circle cx="20.500" cy="15" r="1.700" fill="#4f46e5" />
    </svg>
  );
}
