from mmdet_lite.cli.pascal_voc import main

if __name__ == "__main__":
    raise SystemExit(main())
