/* Procedure Call Standard for the Arm 64-bit Architecture, section 6.1: x19-x28, the frame pointer
 * x29, the low halves of v8-v15 and the control bits of FPCR belong to the caller; x30 holds the
 * return address. */
    .text
    .globl coro_switch_stacks
    .hidden coro_switch_stacks
    .type coro_switch_stacks, %function
    .p2align 4
coro_switch_stacks: /* x0: where to keep this stack pointer, x1: the one to go on with */
    sub sp, sp, #176
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mrs x9, fpcr
    str x9, [sp, #160]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldr x9, [sp, #160]
    msr fpcr, x9
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #176
    br x30
    .size coro_switch_stacks, . - coro_switch_stacks

/* First instruction of every coroutine. The undefined return address ends backtraces here. */
    .globl coro_switch_start
    .hidden coro_switch_start
    .type coro_switch_start, %function
    .p2align 4
coro_switch_start:
    .cfi_startproc
    .cfi_undefined x30
    mov x0, x20
    blr x19
    brk #1
    .cfi_endproc
    .size coro_switch_start, . - coro_switch_start

    .section .note.GNU-stack, "", %progbits
