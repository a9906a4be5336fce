/* Reads messages from standard input, each behind its length in two bytes, decodes them with asn1c's UPER and
   writes what asn1c encodes from the value the same way; length 0 says that it could not. */
#include <stdio.h>
#include <MessageFrame.h>

static unsigned char in[1 << 16], out[1 << 16];

int main(void) {
    unsigned char head[2];
    while (fread(head, 1, 2, stdin) == 2) {
        size_t size = (size_t)head[0] << 8 | head[1], made = 0;
        if (fread(in, 1, size, stdin) != size) return 1;
        MessageFrame_t *frame = 0;
        asn_dec_rval_t read = uper_decode_complete(0, &asn_DEF_MessageFrame, (void **)&frame, in, size);
        if (read.code == RC_OK) {
            asn_enc_rval_t wrote = uper_encode_to_buffer(&asn_DEF_MessageFrame, frame, out, sizeof out);
            if (wrote.encoded >= 0) made = (size_t)(wrote.encoded + 7) / 8;
        }
        ASN_STRUCT_FREE(asn_DEF_MessageFrame, frame);
        head[0] = (unsigned char)(made >> 8);
        head[1] = (unsigned char)made;
        fwrite(head, 1, 2, stdout);
        fwrite(out, 1, made, stdout);
    }
    return 0;
}
